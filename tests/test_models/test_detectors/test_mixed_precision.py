"""Mixed precision in training, by mmengine's wrapper; a CPU's autocast stands in for a GPU's."""
from functools import partial
from unittest import mock

import pytest
import torch
from mini_model import build, category_sample, expression_sample, images, mini_config
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper

STEPS = 16


def wrapper(model, dtype):
    """The optimizer's wrapper of float32, or of mixed precision."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
    if dtype == 'float32':
        return OptimWrapper(optimizer, clip_grad=dict(max_norm=10.))
    with mock.patch.object(amp_optimizer_wrapper, 'is_cuda_available', lambda: True), \
            mock.patch.object(amp_optimizer_wrapper, 'GradScaler', partial(torch.amp.GradScaler, 'cpu')):
        return AmpOptimWrapper(loss_scale=dict(init_scale=128.), dtype=dtype, optimizer=optimizer,
                               clip_grad=dict(max_norm=10.))


def train(dtype, steps):
    """Total losses of some steps on the same pictures, names and sentences in turn."""
    config = mini_config()
    config.panoptic_head.dense_supervision = None
    model, losses = build(config).train(), []
    optim_wrapper = wrapper(model, dtype)
    kinds = [[category_sample(seed=seed) for seed in range(2)],
             [expression_sample('the red star', seed=seed) for seed in range(2)]]
    torch.manual_seed(1)
    # mmengine refuses float16 on a CPU, which torch has
    on_cpu = mock.patch('mmengine.runner.amp.autocast', partial(torch.autocast, 'cpu'))
    for step in range(steps):
        with on_cpu, optim_wrapper.optim_context(model):
            found = model(images(2), kinds[step % 2], mode='loss')
        total, _ = model.parse_losses(found)
        optim_wrapper.update_params(total)
        assert all(torch.isfinite(loss).all() for loss in found.values()), (step, found)
        losses.append(total.item())
    assert all(torch.isfinite(part).all() for part in model.parameters())
    return torch.tensor(losses).view(-1, 2).mean(1)


@pytest.fixture(scope='module')
def single():
    return train('float32', STEPS)


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_mixed_precision_trains_as_float32(single, dtype):
    """Each pair's loss within 5 %, and it falls as much."""
    losses = train(dtype, STEPS)
    assert single[-1] < 0.8 * single[0]
    torch.testing.assert_close(losses, single, rtol=0.05, atol=0)
