"""Interactive sessions of a mini model."""
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from projects.glee.apis import InteractiveSession

SHAPE = (60, 90)  # resized to 64 x 96


@pytest.fixture(scope='module')
def glee():
    config = Config.fromfile('configs/glee/_base_/models/glee_mini.py').model
    config.panoptic_head.prompter.update(template_size=64)
    config.panoptic_head.composer.update(pos_weight=0., reference_as='tokens')  # as released
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    return model


def picture(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.fixture
def session(glee):
    session = InteractiveSession(glee, vocabulary=('circle', 'star', 'ring'), scale=(96, 64))
    session.set_image(picture())
    return session


def same(one, other):
    assert one.score == other.score and (one.mask == other.mask).all() and (one.box == other.box).all()
    assert torch.equal(one.logits, other.logits)


def close(one, other):
    assert one.score == pytest.approx(other.score, abs=1e-5) and (one.mask == other.mask).all()
    np.testing.assert_allclose(one.box, other.box, atol=1e-3)
