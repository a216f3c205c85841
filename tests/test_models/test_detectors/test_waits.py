"""How often a model waits for its device."""
import copy

import pytest
import torch
from mini_model import build, category_sample, expression_sample, images, mini_config
from sync_counter import DEVICE, pretended_device


def _read(x):
    return x.sum().item()


def _condition(x):
    return bool((x > 0).any())


@pytest.mark.parametrize('step, number', [
    (lambda x: (x @ x.T).softmax(-1).topk(2).indices, 0),
    (_read, 1),
    (_condition, 1),
    (lambda x: x.tolist(), 1),
    (lambda x: x.cpu(), 1),
    (lambda x: x[x > 0], 1),
    (lambda x: x.masked_fill(x > 0, 0.), 0),
    (lambda x: x[[0, 2]], 1),  # the list becomes an index on the CPU, which is copied
    (lambda x: x[torch.arange(2, device=x.device)], 0),
    (lambda x: x.unique(), 1),
    (lambda x: (x > 0).nonzero(), 1),
    (lambda x: torch.where(x > 0), 1),
    (lambda x: x.flatten().repeat_interleave(torch.ones(12, dtype=torch.long, device=x.device)), 1),
    (lambda x: x + torch.tensor([1., 2, 3], device=x.device), 1),
    (lambda x: x + x.new_tensor([1., 2, 3]), 1),
    (lambda x: x + torch.tensor([1., 2, 3]).to(x.device, non_blocking=True), 0),
    (lambda x: x + x.new_full((3, ), 2.), 0),
])
def test_what_waits(step, number):
    with pretended_device() as waits:
        x = torch.randn(4, 3).to(DEVICE)
        waits.clear()
        step(x)
    assert len(waits) == number and all(__file__ in wait for wait in waits), waits


def test_the_backward_pass_is_watched_and_sides_do_not_mix():
    with pretended_device() as waits:
        x = torch.randn(4, 3).to(DEVICE).requires_grad_()
        (x[x > 0] * 2).sum().backward()
        assert len(waits) == 3, waits  # the copy, the mask, and the mask again
        with pytest.raises(RuntimeError, match='of the device and of the CPU'):
            x + torch.ones(3)
        assert x.grad.cpu().unique().tolist() == [0., 2.]


@pytest.fixture(scope='module')
def narrow():
    """A narrow detector with all parts of a released one, and its state."""
    config = mini_config()
    config.panoptic_head.dense_supervision = None  # an extension, whose loss waits for the number of its cells
    return build(config).train()


def losses_of(model, samples, device):
    torch.manual_seed(0)
    return model(images(2).to(device), [sample.to(device) for sample in samples], mode='loss')


@pytest.mark.parametrize('make', [category_sample, lambda seed: expression_sample('the red star', seed=seed)],
                         ids=['names', 'expression'])
def test_a_training_step_waits_once(narrow, make):
    """Losses, gradients, clipping and optimizer; also that the losses are those of the CPU."""
    expected = losses_of(narrow, [make(seed=seed) for seed in range(2)], 'cpu')
    model = copy.deepcopy(narrow)
    with pretended_device() as waits:
        model.to(DEVICE)
        optimizer = torch.optim.AdamW(model.parameters(), 1e-4, foreach=False)
        samples = [make(seed=seed).to(DEVICE) for seed in range(2)]
        batch = images(2).to(DEVICE)
        torch.manual_seed(0)
        waits.clear()
        losses = model(batch, samples, mode='loss')
        model.parse_losses(losses)[0].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
        assert len(waits) == 1 and 'matcher.py' in waits[0], waits
        for name, loss in losses.items():
            torch.testing.assert_close(loss.detach().cpu(), expected[name].detach(), rtol=1e-4, atol=1e-4, msg=name)


def test_a_label_outside_of_the_text_is_named_on_a_device(narrow):
    model, sample = copy.deepcopy(narrow), category_sample(img_path='a.jpg')
    sample.gt_instances.labels[1] = 4
    with pretended_device():
        with pytest.raises(ValueError, match='label 4 is outside the 4 names'):
            losses_of(model.to(DEVICE), [sample, category_sample(seed=1)], DEVICE)
