"""Gradients of several batches in one step, and of DDP without a search for unused parameters."""
import copy

import pytest
import torch
import torch.distributed as dist
from mini_model import build, category_sample, expression_sample, images, mini_config
from mini_prompts import prompted_sample
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper

BATCHES = dict(
    names=lambda seed: category_sample(seed=seed),
    expressions=lambda seed: expression_sample('the red star', seed=seed),
    boxes=lambda seed: category_sample(seed=seed, supervision=('semantic', 'box')),
    prompts=lambda seed: prompted_sample(prev=False, seed=seed),
    nothing=lambda seed: category_sample(count=0, seed=seed))


@pytest.fixture(scope='module')
def mini():
    return build(mini_config()).train()


def total_of(model, kind):
    torch.manual_seed(0)
    losses = model(images(2), [BATCHES[kind](seed) for seed in range(2)], mode='loss')
    return sum(value for name, value in losses.items() if 'loss' in name)


def test_a_step_of_two_batches_is_one_of_their_mean(mini):
    """By mmengine's ``accumulative_counts``."""
    model = copy.deepcopy(mini)
    model.backbone.eval()
    before = [part.detach().clone() for part in model.parameters()]
    totals = [total_of(model, kind) for kind in ('names', 'expressions')]
    expected = torch.autograd.grad(sum(totals) / 2, list(model.parameters()), allow_unused=True)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 1e-3), accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 2)
    for kind in ('names', 'expressions'):
        with wrapper.optim_context(model):
            wrapper.update_params(total_of(model, kind))
    for part, old, gradient in zip(model.parameters(), before, expected):
        torch.testing.assert_close(part, old if gradient is None else old - 1e-3 * gradient, rtol=1e-4, atol=1e-5)


def test_ddp_finds_a_gradient_of_every_parameter_in_each_kind_of_batch(mini, tmp_path):
    """A parameter without one stops DDP at the next batch, unless it searches for such parameters in each."""
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        model = MMDistributedDataParallel(copy.deepcopy(mini), find_unused_parameters=False)
        for kind in (*BATCHES, 'names'):
            total_of(model, kind).backward()
            missing = [name for name, part in model.named_parameters() if part.requires_grad and part.grad is None]
            assert not missing, (kind, missing)
            model.zero_grad()
    finally:
        dist.destroy_process_group()
