"""Layers whose activations are computed again in the backward pass."""
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def run_layer(layer: nn.Module, recompute: bool, *inputs):
    """``layer(*inputs)``; with ``recompute``, in training, of its activations only the inputs are kept.

    The numbers are the same, dropout included, and gradients of DDP are reduced as ever; a layer costs one more
    forward pass.
    """
    if recompute and layer.training and torch.is_grad_enabled():
        return checkpoint(layer, *inputs, use_reentrant=False)
    return layer(*inputs)
