"""Orthogonal steps for matrices and kernels, AdamW for everything else."""
import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from projects.glee.engine.optimizers import MuonAdamW
from projects.glee.engine.optimizers.muon import StackedMuon


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.ModuleDict(dict(
        embedding=nn.Embedding(7, 4), convolution=nn.Conv2d(3, 8, 3), norm=nn.BatchNorm2d(8), linear=nn.Linear(8, 6),
        unused=nn.Linear(8, 6)))


def build(model, **kwargs):
    return build_optim_wrapper(model, dict(
        type='OptimWrapper', optimizer=dict(type='MuonAdamW', lr=1e-2, weight_decay=0.1, **kwargs),
        paramwise_cfg=dict(custom_keys=dict(embedding=dict(orthogonal=False), linear=dict(lr_mult=0.5))))).optimizer


def step(model, optimizer, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if 'unused' not in name:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()


def test_vectors_and_excluded_tables_step_as_adamw(model):
    expected = copy.deepcopy(model)
    plain = torch.optim.AdamW(expected.parameters(), lr=1e-2, weight_decay=0.1)
    optimizer = build(model)
    for seed in range(3):
        step(model, optimizer, seed)
        step(expected, plain, seed)
    for name in ('embedding.weight', 'convolution.bias', 'norm.weight', 'norm.bias', 'unused.weight'):
        torch.testing.assert_close(model.get_parameter(name), expected.get_parameter(name), rtol=0, atol=0)
    assert (model.linear.weight - expected.linear.weight).abs().max() > 1e-3


@pytest.mark.parametrize('name, lr', [('convolution', 1e-2), ('linear', 5e-3)])
@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
def test_step_of_a_matrix(model, name, lr, memory_format):
    """First step: decay, then lr * 0.2 * sqrt(longer side) along the orthogonal factor of the gradient.

    The quintic iteration leaves singular values between about 0.65 and 1.25; torch computes it in bfloat16.
    """
    model.convolution.to(memory_format=memory_format)
    weight = model[name].weight
    before = weight.detach().clone()
    step(model, build(model), 0)
    moved = (before * (1 - lr * 0.1) - weight.detach()).flatten(1)
    left, _, right = torch.linalg.svd(weight.grad.flatten(1), full_matrices=False)
    values = left.mT @ moved @ right.mT / (lr * 0.2 * max(moved.shape)**0.5)
    assert (values.diagonal() > 0.65).all() and (values.diagonal() < 1.25).all()
    torch.testing.assert_close(values, values.diagonal().diag(), atol=0.03, rtol=0)


def test_stacked_matrices_step_as_torch_steps_each():
    """Wide, tall, square, a single row, one without a gradient; rates of a group each."""
    torch.manual_seed(0)
    shapes = [(8, 12), (12, 8), (8, 12), (6, 6), (6, 6), (1, 9), (8, 12)]
    together = [nn.Parameter(torch.randn(shape)) for shape in shapes]
    alone = copy.deepcopy(together)
    options = dict(momentum=0.9, ns_steps=4)
    optimizers = [kind([dict(params=[p], lr=0.1 / (i + 1), weight_decay=0.1 * i) for i, p in enumerate(params)],
                       **options, **more)
                  for kind, params, more in ((StackedMuon, together, {}),
                                             (torch.optim.Muon, alone, dict(adjust_lr_fn='match_rms_adamw')))]
    for _ in range(3):
        for one, other in zip(together[:-1], alone):
            one.grad, other.grad = [torch.randn(one.shape)] * 2
        for optimizer in optimizers:
            optimizer.step()
    for one, other in zip(together, alone):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    assert optimizers[0].state_dict()['state'].keys() == optimizers[1].state_dict()['state'].keys()


def test_rates_of_the_groups_count_in_every_step(model):
    optimizer = build(model)
    for group in optimizer.param_groups:
        group['lr'] = 0.
    before = copy.deepcopy(model)
    step(model, optimizer, 0)
    for expected, result in zip(before.parameters(), model.parameters()):
        torch.testing.assert_close(result, expected, rtol=0, atol=0)


def test_resume_repeats_the_steps(model):
    optimizer = build(model)
    step(model, optimizer, 0)
    optimizer.param_groups[0]['lr'] = 0.3
    resumed = copy.deepcopy(model)
    copied = build(resumed)
    copied.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert copied.param_groups[0]['lr'] == 0.3
    for seed in (1, 2):
        step(model, optimizer, seed)
        step(resumed, copied, seed)
    for expected, result in zip(model.parameters(), resumed.parameters()):
        torch.testing.assert_close(result, expected, rtol=0, atol=0)


def test_a_state_of_another_optimizer_is_refused(model):
    plain = torch.optim.AdamW(model.parameters())
    with pytest.raises(ValueError, match='not one of MuonAdamW.*load_from'):
        build(model).load_state_dict(plain.state_dict())


def test_vectors_alone_and_matrices_alone():
    for module in (nn.LayerNorm(3), nn.Linear(3, 3, bias=False)):
        optimizer = MuonAdamW(module.parameters(), lr=1e-2)
        before = module.weight.detach().clone()
        module.weight.grad = torch.randn_like(before)
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        assert not torch.equal(before, module.weight)


def test_no_gradient_no_step(model):
    before = copy.deepcopy(model)
    MuonAdamW(model.parameters(), lr=1e-2).step()
    for expected, result in zip(before.parameters(), model.parameters()):
        torch.testing.assert_close(result, expected, rtol=0, atol=0)


def test_gradients_of_a_closure_count(model):
    """All of the step comes from gradients that do not exist before the closure runs."""
    before = model.linear.weight.detach().clone()

    def closure():
        loss = model.linear.weight.square().sum()
        loss.backward()
        return loss

    assert build(model).step(closure) == before.square().sum()
    moved = (before * (1 - 5e-3 * 0.1) - model.linear.weight).norm()
    assert 0.65 * 6**0.5 < moved / (5e-3 * 0.2 * 8**0.5) < 1.25 * 6**0.5


@pytest.mark.parametrize('fused', [False, True])
def test_an_overflow_under_a_loss_scaler_is_no_step(model, fused):
    before = copy.deepcopy(model)
    optimizer = MuonAdamW(model.parameters(), lr=1e-2, fused=fused)
    scaler = torch.amp.GradScaler('cpu', init_scale=4.)
    for value in (float('inf'), 1.):
        optimizer.zero_grad()
        scaler.scale(sum(param.sum() for param in model.parameters())).backward()
        model.linear.weight.grad[0, 0] = value
        scaler.step(optimizer)
        scaler.update()
        moved = [not torch.equal(old, new) for old, new in zip(before.parameters(), model.parameters())]
        assert all(moved) if value == 1. else not any(moved)
    assert scaler.get_scale() == 2.  # halved once
