"""Models without memory for their parameters, for checkpoints that bring the values."""
from contextlib import contextmanager
from typing import Iterator
from unittest import mock

from mmdet.registry import MODELS
from mmengine.config import Config
from paths import ROOT
from torch import nn

MODEL_CONFIGS = ROOT / 'configs/glee/_base_/models'
CONFIG_NAMES = dict(lite='glee_r50', plus='glee_swin-l', pro='glee_eva02-l')


@contextmanager
def empty_parameters() -> Iterator[None]:
    """Modules built inside have parameters on the meta device, and buffers with values."""
    register = nn.Module.register_parameter

    def register_empty(self, name, param):
        register(self, name, None if param is None else nn.Parameter(param.detach().to('meta'), param.requires_grad))

    with mock.patch.object(nn.Module, 'register_parameter', register_empty):
        yield


def empty_glee(size: str) -> nn.Module:
    """The whole model of a size; load it with ``assign=True``."""
    with empty_parameters():
        return MODELS.build(Config.fromfile(MODEL_CONFIGS / f'{CONFIG_NAMES[size]}.py').model)
