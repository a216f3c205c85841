"""Whether a checkpoint fits a model that has not been built yet."""
import warnings
from collections.abc import Iterable

import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from torch import nn
from torch.overrides import TorchFunctionMode

from .load_weights import load_weights
from .safe_checkpoint import read_checkpoint


def check_fit(model: ConfigDict, checkpoint: str, ignore: Iterable[str] = ()) -> None:
    """Compare names and shapes; neither weights nor memory for them are needed.

    Args:
        model: config of the model.
        checkpoint: the file.
        ignore: see ``load_weights``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is refused (``read_checkpoint``) or does not fit (``load_weights``).
    """
    content = read_checkpoint(checkpoint, 'meta')
    with DefaultScope.overwrite_default_scope('mmdet'):
        skeleton = build_skeleton(model)
    with warnings.catch_warnings():
        # of the counters of batch norms that `ignore` leaves out: torch makes them up
        warnings.filterwarnings('ignore', message='.*to a meta parameter in the current model, which is a no-op')
        load_weights(skeleton, content.get('state_dict', content), checkpoint, ignore, quiet=True)


def build_skeleton(model: ConfigDict) -> nn.Module:
    """The model of a config without memory for its weights, in a fraction of a second."""
    with torch.device('meta'), _NumbersInMemory():
        return MODELS.build(model)


class _NumbersInMemory(TorchFunctionMode):
    """``linspace`` is made as ever: backbones read single values of it (rates of drop path)."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.linspace:
            kwargs = dict(kwargs or {}, device='cpu')
        return func(*args, **(kwargs or {}))
