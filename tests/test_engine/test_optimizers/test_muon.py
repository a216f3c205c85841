"""Orthogonal steps for matrices and kernels, AdamW for everything else."""
import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

from projects.glee.engine.optimizers import MuonAdamW
from projects.glee.engine.optimizers.muon import orthogonalise


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.ModuleDict(dict(
        embedding=nn.Embedding(7, 4), convolution=nn.Conv2d(3, 8, 3), norm=nn.BatchNorm2d(8), linear=nn.Linear(8, 6),
        unused=nn.Linear(8, 6)))


def build(model, **kwargs):
    return build_optim_wrapper(model, dict(
        type='OptimWrapper', optimizer=dict(type='MuonAdamW', lr=1e-2, weight_decay=0.1, **kwargs),
        paramwise_cfg=dict(custom_keys=dict(embedding=dict(orthogonal=False))))).optimizer


def step(model, optimizer, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if 'unused' not in name:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()


@pytest.mark.parametrize('shape', [(6, 40), (40, 6), (8, 8)])
def test_singular_vectors_stay_and_singular_values_near_one(shape):
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(3, *shape), full_matrices=False)
    values = torch.linspace(0.3, 3, min(shape))
    result = left.mT @ orthogonalise(left * values @ right) @ right.mT
    diagonal = result.diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(result, diagonal.diag_embed(), atol=1e-4, rtol=0)
    assert (diagonal > 0.65).all() and (diagonal < 1.25).all()


def test_one_iteration_is_the_quintic_of_the_singular_values():
    """p(s) = 3.4445 s - 4.775 s^3 + 2.0315 s^5 on the values scaled by the Frobenius norm."""
    values = torch.tensor([3., 4.])
    scaled = values / 5
    expected = 3.4445 * scaled - 4.775 * scaled**3 + 2.0315 * scaled**5
    torch.testing.assert_close(orthogonalise(values.diag()[None], 1)[0], expected.diag())


@pytest.mark.parametrize('num_steps', [1, 2, 5])
def test_gram_form_equals_the_iteration_on_the_matrix(num_steps):
    """X <- a X + b (X X^T) X + c (X X^T)^2 X, as the method is written."""
    torch.manual_seed(1)
    matrices = torch.randn(2, 5, 12, dtype=torch.float64)
    expected = matrices / matrices.norm(dim=(1, 2), keepdim=True)
    for _ in range(num_steps):
        gram = expected @ expected.mT
        expected = 3.4445 * expected - 4.775 * gram @ expected + 2.0315 * gram @ gram @ expected
    torch.testing.assert_close(orthogonalise(matrices, num_steps), expected)


def test_vectors_and_excluded_tables_step_as_adamw(model):
    expected = copy.deepcopy(model)
    plain = torch.optim.AdamW(expected.parameters(), lr=1e-2, weight_decay=0.1)
    optimizer = build(model)
    for seed in range(3):
        step(model, optimizer, seed)
        step(expected, plain, seed)
    for name in ('embedding.weight', 'convolution.bias', 'norm.weight', 'norm.bias', 'linear.bias', 'unused.weight'):
        torch.testing.assert_close(model.get_parameter(name), expected.get_parameter(name), rtol=0, atol=0)
    assert (model.linear.weight - expected.linear.weight).abs().max() > 1e-3


def test_step_of_a_matrix(model):
    """First step: decay, then lr * 0.2 * sqrt(longer side) along the orthogonal factor of the gradient."""
    before = model.convolution.weight.detach().clone()
    step(model, build(model, num_steps=12), 0)
    grad = model.convolution.weight.grad.reshape(8, 27)
    moved = (before * (1 - 1e-2 * 0.1) - model.convolution.weight.detach()).reshape(8, 27)
    left, _, right = torch.linalg.svd(grad, full_matrices=False)
    values = (left.mT @ moved @ right.mT).diagonal() / (1e-2 * 0.2 * 27**0.5)
    assert (values > 0.65).all() and (values < 1.25).all()


def test_resume_repeats_the_steps(model):
    optimizer = build(model)
    step(model, optimizer, 0)
    resumed = copy.deepcopy(model)
    copied = build(resumed)
    copied.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for seed in (1, 2):
        step(model, optimizer, seed)
        step(resumed, copied, seed)
    for expected, result in zip(model.parameters(), resumed.parameters()):
        torch.testing.assert_close(result, expected, rtol=0, atol=0)


def test_no_gradient_no_step(model):
    before = copy.deepcopy(model)
    MuonAdamW(model.parameters(), lr=1e-2).step()
    for expected, result in zip(before.parameters(), model.parameters()):
        torch.testing.assert_close(result, expected, rtol=0, atol=0)


def test_gradients_of_a_closure_count(model):
    """All of the step comes from gradients that do not exist before the closure runs."""
    before = model.linear.weight.detach().clone()

    def closure():
        with torch.enable_grad():
            loss = model.linear.weight.square().sum()
            loss.backward()
        return loss

    assert build(model).step(closure) == before.square().sum()
    moved = (before * (1 - 1e-2 * 0.1) - model.linear.weight).norm()
    assert 0.65 * 6**0.5 < moved / (1e-2 * 0.2 * 8**0.5) < 1.25 * 6**0.5


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
