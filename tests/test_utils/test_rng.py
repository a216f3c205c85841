"""Random streams as functions of counters."""
import random

import numpy as np
import pytest
import torch

from projects.glee.utils.rng import isolated_rng, mix_seed


def test_seeds_are_unrelated_and_streams_isolated():
    assert len({mix_seed(a, b) for a in range(30) for b in range(30)}) == 900
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = torch.rand(1)
    with pytest.raises(RuntimeError), isolated_rng(1, 2):
        inside = torch.rand(5), np.random.rand(5), random.random()
        raise RuntimeError
    assert torch.equal(torch.cat([first, torch.rand(1)]), expected)  # also after an error
    with isolated_rng(1, 2):
        assert torch.equal(torch.rand(5), inside[0]) and (np.random.rand(5) == inside[1]).all()
        assert random.random() == inside[2]
