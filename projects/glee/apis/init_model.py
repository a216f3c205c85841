"""A model to work with from a program."""
import copy
from pathlib import Path

import torch
from mmdet.evaluation import get_classes
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from ..engine.checkpoints.load_weights import load_weights
from ..engine.checkpoints.safe_checkpoint import read_checkpoint
from ..engine.runner.run_config import without_teacher


def init_model(config: str | Path | Config, checkpoint: str | None = None, device: str = 'cpu') -> nn.Module:
    """As mmdet's ``init_detector``, but the checkpoint is read safely and has to fit completely.

    No teacher of distillation is built, whatever the config trains. The model has ``cfg``, the config it was built of,
    and ``dataset_meta``, whose ``classes`` are those of the checkpoint's training, or COCO's where it says nothing.

    Args:
        config: file, or config with a ``model``.
        checkpoint: its weights; random ones without it.
        device: where the model goes.

    Returns:
        nn.Module: in eval mode.

    Raises:
        ValueError: the checkpoint is refused (``read_checkpoint``) or does not fit (``load_weights``).
    """
    cfg = copy.deepcopy(config) if isinstance(config, Config) else Config.fromfile(config)
    cfg.model = without_teacher(cfg.model)
    init_default_scope(cfg.get('default_scope') or 'mmdet')
    meta = {}
    with torch.inference_mode(False):  # weights made in inference mode could never be trained
        model = MODELS.build(cfg.model)
        if checkpoint is not None:
            content = read_checkpoint(checkpoint, mapped=True)
            load_weights(model, content.get('state_dict', content), checkpoint)
            meta = content.get('meta', {}).get('dataset_meta', {})
        model.to(device).eval()
    model.cfg = cfg
    # older checkpoints of mixtures hold a list of the sources
    meta = {key.lower(): value for key, value in meta.items()} if isinstance(meta, dict) else {}
    model.dataset_meta = dict(dict(classes=get_classes('coco'), palette='random'), **meta)
    return model
