"""Weights go into a model completely; known prefixes are understood, released files are recognised."""

import pytest
import torch
from goldens import manifest
from logs import captured_log
from toy_training import ToyModel

from projects.glee.engine.checkpoints.load_weights import load_weights


@pytest.mark.parametrize('prefix', ['module.', '_orig_mod.', 'model.', 'module._orig_mod.', 'model.module.'])
def test_prefixes_of_wrappers_are_left_out_and_said(prefix):
    model = ToyModel()
    with captured_log() as messages:
        load_weights(model, {f'{prefix}weight': torch.ones(()), f'{prefix}bias': torch.ones(3)}, 'a.pth')
    assert model.weight == 1 and model.bias.sum() == 3
    assert messages == [f"a.pth: all names begin with '{prefix}', which is left out"]


def test_a_prefix_of_some_names_or_of_the_model_stays():
    with pytest.raises(ValueError, match='1 missing: bias'):
        load_weights(ToyModel(), {'weight': torch.ones(()), 'module.bias': torch.ones(3)}, 'a.pth')
    outer = torch.nn.ModuleDict(dict(model=ToyModel()))
    load_weights(outer, {'model.weight': torch.ones(()), 'model.bias': torch.ones(3)}, 'a.pth')
    assert outer.model.weight == 1


def test_weights_inside_model():
    model = ToyModel()
    load_weights(model, dict(model=dict(weight=torch.ones(()), bias=torch.ones(3)), iteration=5), 'a.pth')
    assert model.bias.sum() == 3


def test_another_shape_is_named():
    with pytest.raises(ValueError, match=r'here\.pth does not fit(.|\n)*bias'):
        load_weights(ToyModel(), dict(weight=torch.ones(()), bias=torch.ones(4)), 'here.pth')


@pytest.mark.parametrize('size', ['lite', 'plus', 'pro'])
@pytest.mark.parametrize('wrap', [dict, lambda names: dict(model={f'glee.{name}': v for name, v in names.items()})])
def test_a_damaged_released_file_is_named_with_its_size(size, wrap):
    keys = manifest(size)['keys']
    names = {name: torch.zeros(1) for name in list(keys)[:-1]}
    with pytest.raises(ValueError, match=rf'checkpoint GLEE\.pth .*(released GLEE-{size.capitalize()}|does not fit)'):
        load_weights(ToyModel(), wrap(names), 'GLEE.pth')


@pytest.mark.parametrize('wrap', [dict, lambda names: dict(model={f'glee.{name}': v for name, v in names.items()}),
                                  lambda names: {f'module.{name}': v for name, v in names.items()}])
def test_a_released_file_is_converted_in_memory(glee_lite, official_lite, wrap):
    weight = glee_lite.panoptic_head.category_embed
    expected = weight.detach().clone()
    with torch.no_grad():
        weight.add_(1)
    with captured_log() as messages:
        load_weights(glee_lite, wrap(official_lite), 'GLEE.pth')
    torch.testing.assert_close(weight.detach(), expected, atol=0, rtol=0)
    assert messages[-1] == 'GLEE.pth: a released GLEE-Lite, whose names are converted'
