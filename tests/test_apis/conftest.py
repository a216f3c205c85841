"""A mini model and a session of it for all tests of sessions."""
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from paths import CONFIGS
from sessions import picture

from projects.glee.apis import InteractiveSession


@pytest.fixture(scope='module')
def glee():
    config = Config.fromfile(CONFIGS / '_base_/models/glee_mini.py').model
    config.panoptic_head.prompter.update(template_size=64)
    config.panoptic_head.composer.update(pos_weight=0., reference_as='tokens')  # as released
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    return model


@pytest.fixture
def session(glee):
    session = InteractiveSession(glee, vocabulary=('circle', 'star', 'ring'), scale=(96, 64))
    session.set_image(picture())
    return session
