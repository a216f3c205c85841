"""A model of a config with a checkpoint's weights."""
import pytest
import torch
from paths import ROOT

from projects.glee.apis import init_model

CONFIG = ROOT / 'configs/glee/_base_/models/glee_mini.py'


def test_weights_are_those_of_the_checkpoint_and_all_of_them(tmp_path):
    """In a training's checkpoint or bare; a missing one is named."""
    torch.manual_seed(0)
    weights = {key: value + 1 for key, value in init_model(CONFIG).state_dict().items()}
    torch.save(dict(state_dict=weights), tmp_path / 'whole.pth')
    torch.save(weights, tmp_path / 'bare.pth')
    for name in ('whole.pth', 'bare.pth'):
        model = init_model(CONFIG, str(tmp_path / name))
        assert not model.training
        assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    missing = next(iter(weights))
    del weights[missing]
    torch.save(weights, tmp_path / 'bare.pth')
    with pytest.raises(ValueError, match=missing):
        init_model(CONFIG, str(tmp_path / 'bare.pth'))
