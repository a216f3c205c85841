"""A model to work with from a program."""
from pathlib import Path

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from ..engine.checkpoints.safe_checkpoint import read_checkpoint
from ..engine.runner.strict_runner import load_weights


def init_model(config: str | Path | Config, checkpoint: str | None = None, device: str = 'cpu') -> nn.Module:
    """As mmdet's ``init_detector``, but the checkpoint is read safely and has to fit completely.

    Args:
        config: file, or config with a ``model``.
        checkpoint: its weights; random ones without it.
        device: where the model goes.

    Returns:
        nn.Module: in eval mode.

    Raises:
        ValueError: the checkpoint is refused (``read_checkpoint``) or does not fit (``load_weights``).
    """
    init_default_scope('mmdet')
    model = MODELS.build((config if isinstance(config, Config) else Config.fromfile(config)).model)
    if checkpoint is not None:
        weights = read_checkpoint(checkpoint)
        load_weights(model, weights.get('state_dict', weights), checkpoint)
    return model.to(device).eval()
