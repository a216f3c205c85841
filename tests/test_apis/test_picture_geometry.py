"""The shape in which a model gets pictures."""
import numpy as np
import pytest
from config_runs import load, shrink_size
from mmengine.config import Config
from paths import config_file

from projects.glee.apis import GLEEInferencer, InteractiveSession, init_model


def small_pro(*resizing):
    cfg = shrink_size(Config.fromfile(config_file('glee_eva02-l_stage3')), 'eva02-l')
    cfg.test_dataloader.dataset.pipeline[2].transforms = list(resizing)
    return cfg


def test_a_backbone_that_wants_squares_gets_no_rectangles():
    """Neither by a scale nor by a config whose pipeline does not pad; its own square is taken."""
    resize, pad = dict(type='PillowResize', scale=(128, 128), keep_ratio=True), dict(type='PadSquare', size=128)
    model = init_model(small_pro(resize, pad))
    assert InteractiveSession(model).geometry(np.zeros((20, 30, 3), np.uint8)).inputs.shape == (3, 128, 128)
    with pytest.raises(ValueError, match=r'scale=\(96, 64\) makes 96 x 64 px of a picture of 3 x 2, but EVA02 knows .* '
                                         'only in squares: leave it out'):
        InteractiveSession(model, scale=(96, 64))
    with pytest.raises(ValueError, match='test pipeline of the config makes 128 x 85 px .* end its resizing with'):
        GLEEInferencer(small_pro(resize), device='cpu')


def test_other_backbones_take_any_scale(tmp_path):
    model = init_model(load('glee_mini_coco', tmp_path))
    assert tuple(InteractiveSession(model, scale=(96, 64)).geometry.transforms.transforms[0].scale) == (96, 64)
