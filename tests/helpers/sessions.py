"""Pictures for interactive sessions, and how two of their results compare."""
import numpy as np
import pytest
import torch

SHAPE = (60, 90)  # height, width; resized to 64 x 96


def picture(seed=0, shape=SHAPE):
    """A random picture, uint8 (*shape, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def same(one, other):
    """Two results are equal to the last bit."""
    assert one.score == other.score and (one.mask == other.mask).all() and (one.box == other.box).all()
    assert torch.equal(one.logits, other.logits)


def close(one, other):
    """Two results are equal but for rounding."""
    assert one.score == pytest.approx(other.score, abs=1e-5) and (one.mask == other.mask).all()
    np.testing.assert_allclose(one.box, other.box, atol=1e-3)
