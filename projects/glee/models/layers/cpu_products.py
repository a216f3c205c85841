"""Matrix products of whole networks on a CPU."""
from contextlib import nullcontext
from typing import Any, Callable, ContextManager

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .row_linear import on_cpu_in_inference, row_product


def fast_products(x: Tensor, with_gradients: bool = False) -> ContextManager:
    """In this context linear layers and 1x1 convolutions are computed by oneDNN, if ``x`` is on a CPU.

    torch gives both to MKL (1x1 convolutions only on one thread), see ``row_product``. It serves networks that are
    not ours, such as backbones, and changes none of their modules.

    Args:
        x (Tensor): what the network reads.
        with_gradients (bool): also where gradients are recorded, linear layers alone. Not for a network that computes
            activations again in the backward pass, which would be outside of this context.
    """
    if not torch.backends.mkldnn.is_available():
        return nullcontext()
    if on_cpu_in_inference(x):
        return _OneDNNProducts()
    fast = with_gradients and x.device.type == 'cpu' and torch.is_grad_enabled() and not torch.compiler.is_compiling()
    return _OneDNNLinears() if fast and not torch.jit.is_tracing() else nullcontext()


class _OneDNNLinears(TorchFunctionMode):

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return (row_product if func is F.linear else func)(*args, **(kwargs or {}))


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
