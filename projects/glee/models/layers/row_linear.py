"""Linear layers over many rows on a CPU."""
import platform
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# with fewer rows the ways differ little, and with fewer elements torch does not take oneDNN
MIN_ROWS = 64
MIN_ELEMENTS = 20481
# for smaller matrices the copies cost more than the product gains (docs/speed.md)
MIN_WEIGHTS = 2**15
# the hidden layer of a chunk fits the cache, and its memory is used again instead of being mapped anew
CHUNK_ROWS = 2048
GRADIENT_ROWS = 1024


def on_cpu_in_inference(x: Tensor) -> bool:
    """Whether to take the ways that are fast there; whoever records the graph sees torch's own layers."""
    return (x.device.type == 'cpu' and not torch.is_grad_enabled() and not torch.compiler.is_compiling()
            and not torch.jit.is_tracing())


@lru_cache(maxsize=None)
def mkl_is_slow() -> bool:
    """Whether oneDNN is faster than MKL, which torch asks for linear layers: on processors that are not Intel's."""
    try:
        processor = Path('/proc/cpuinfo').read_text()
    except OSError:
        processor = platform.processor()
    has_both = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
    return has_both and 'GenuineIntel' not in processor


def row_product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``F.linear`` of (..., C) with ``weight`` (O, C); large ones and their gradients go through oneDNN if MKL is slow.

    torch gives linear layers to MKL, which on AMD's processors runs at half the speed of oneDNN, and 1x1 convolutions
    to oneDNN (``fast_products`` brings whole networks there). On Intel's, MKL takes a third less in training.
    """
    if not _takes_onednn(rows, weight):
        return F.linear(rows, weight, bias)
    if torch.is_grad_enabled():
        return _RowProduct.apply(rows, weight, bias)
    return _as_convolution(rows, weight, bias)


def _takes_onednn(rows: Tensor, weight: Tensor) -> bool:
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # the numbers of rows would become constants
        return False
    return (rows.device.type == 'cpu' and rows.dtype == torch.float32 and rows.shape[:-1].numel() >= MIN_ROWS
            and rows.numel() >= MIN_ELEMENTS and weight.numel() >= MIN_WEIGHTS and mkl_is_slow()
            and not torch.is_autocast_enabled('cpu'))


def _as_convolution(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The layer as a 1x1 convolution of an image one pixel high.

    The vertical stride means nothing there, but without it torch would not take oneDNN on one thread.
    """
    # oneDNN takes half as long for whole rows, the copy included; of a matrix torch copies columns several times faster
    pixels = rows.reshape(-1, rows.shape[-1]).contiguous()[None, None].permute(0, 3, 1, 2)
    out = F.conv2d(pixels, weight[:, :, None, None], bias, stride=(2, 1))
    return out.permute(0, 2, 3, 1).reshape(*rows.shape[:-1], -1)


class _RowProduct(torch.autograd.Function):
    """``_as_convolution`` whose gradients are such products too; those that torch has for it are slow."""

    @staticmethod
    def forward(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        # no view of the convolution's output, which could not be changed in place afterwards
        return _as_convolution(rows, weight, bias).data

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        rows, weight = ctx.saved_tensors
        of_rows, of_weight, of_bias = ctx.needs_input_grad
        return (row_product(grad, weight.t()) if of_rows else None,
                _weight_gradient(rows.flatten(0, -2), grad.flatten(0, -2)) if of_weight else None,
                grad.flatten(0, -2).sum(0) if of_bias else None)


def _weight_gradient(rows: Tensor, grad: Tensor) -> Tensor:
    """(O, C) of rows (N, C) and the gradient (N, O) of their products, some rows at a time: they are transposed."""
    wide = rows.shape[1] > grad.shape[1]
    left, right = (rows, grad) if wide else (grad, rows)
    total = sum(row_product(a.t(), b.t()) for a, b in zip(left.split(GRADIENT_ROWS), right.split(GRADIENT_ROWS)))
    return total.t() if wide else total


def row_linear(rows: Tensor, layer: nn.Linear) -> Tensor:
    """``layer(rows)`` by :func:`row_product`."""
    return row_product(rows, layer.weight, layer.bias)


class FeedForward(nn.Module):
    """Linear, ReLU, linear, and the input added; parameters are named as those of mmcv's ``FFN``.

    In inference on a CPU it takes some rows at a time, so that the wide hidden layer never exists as a whole.

    Args:
        embed_dims, hidden_dims (int): channels outside and inside.
        dropout (float): after either layer.
    """

    def __init__(self, embed_dims: int, hidden_dims: int, dropout: float = 0.) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Sequential(nn.Linear(embed_dims, hidden_dims), nn.ReLU(inplace=True), nn.Dropout(dropout)),
            nn.Linear(hidden_dims, embed_dims), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to (..., C)."""
        if self.training or not on_cpu_in_inference(x):
            _, relu, dropout = self.layers[0]
            hidden = dropout(relu(row_linear(x, self.layers[0][0])))
            return x + self.layers[2](row_linear(hidden, self.layers[1]))
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        for rows, target in zip(x.flatten(0, -2).split(CHUNK_ROWS), out.flatten(0, -2).split(CHUNK_ROWS)):
            hidden = row_linear(rows, self.layers[0][0]).relu_()
            torch.add(rows, row_linear(hidden, self.layers[1]), out=target)
        return out
