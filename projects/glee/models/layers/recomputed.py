"""Layers whose activations are computed again in the backward pass."""
from typing import Callable

import torch
from torch.utils.checkpoint import checkpoint


def run_layer(layer: Callable, recompute: bool, *inputs):
    """``layer(*inputs)``; with ``recompute``, in training, of its activations only the inputs are kept.

    The numbers are the same, dropout included, and gradients of DDP are reduced as ever; a layer costs one more
    forward pass.

    Args:
        layer: a module, or a function that is only told to recompute in training.
        recompute: whether to.
        *inputs: of the layer.
    """
    if recompute and getattr(layer, 'training', True) and torch.is_grad_enabled():
        return checkpoint(layer, *inputs, use_reentrant=False)
    return layer(*inputs)
