"""How often a model waits for its device."""
import pytest
import torch
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
