"""Matrix products of whole networks on a CPU."""
from contextlib import nullcontext
from typing import Any, Callable, ContextManager

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .row_linear import mkl_is_slow, on_cpu_in_inference, row_product


def fast_products(x: Tensor, with_gradients: bool = False, recomputed: bool = False) -> ContextManager:
    """In this context oneDNN computes linear layers and 1x1 convolutions, if ``x`` is on a CPU on which MKL is slow.

    torch gives both to MKL (1x1 convolutions only on one thread), see ``row_product``. It serves networks that are
    not ours, such as backbones, and changes none of their modules.

    Args:
        x (Tensor): what the network reads.
        with_gradients (bool): also where gradients are recorded.
        recomputed (bool): the network may compute activations again in the backward pass, which is outside of this
            context. Where gradients are recorded its linear layers are then left alone: ours keep other tensors for
            the backward pass than torch's, and ``checkpoint`` asks for the same.
    """
    if torch.compiler.is_compiling() or not mkl_is_slow():
        return nullcontext()
    if on_cpu_in_inference(x):
        return _OneDNNProducts()
    if not (with_gradients and x.device.type == 'cpu' and torch.is_grad_enabled()):
        return nullcontext()
    if torch.jit.is_tracing():
        return nullcontext()
    return _OneDNNConvolutions() if recomputed else _OneDNNProducts()


class _OneDNNConvolutions(TorchFunctionMode):

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return (_convolve if func is torch.conv2d else func)(*args, **(kwargs or {}))


class _OneDNNProducts(TorchFunctionMode):

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            return row_product(*args, **kwargs)
        if func is torch.conv2d:
            return _convolve(*args, **kwargs)
        return func(*args, **kwargs)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
              dilation: Any = 1, groups: int = 1) -> Tensor:
    """``F.conv2d``. The dilation of a 1x1 convolution means nothing, but with one torch takes oneDNN."""
    if weight.shape[2:] == (1, 1) and x.dtype == torch.float32:
        dilation = 2
    return torch.conv2d(x, weight, bias, stride, padding, dilation, groups)
