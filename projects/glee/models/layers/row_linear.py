"""Linear layers over many rows on a CPU."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# with fewer rows the ways differ little
MIN_ROWS = 64
# the hidden layer of a chunk fits the cache, and its memory is used again instead of being mapped anew
CHUNK_ROWS = 2048


def on_cpu_in_inference(x: Tensor) -> bool:
    """Whether to take the ways that are fast there; whoever records the graph sees torch's own layers."""
    return (x.device.type == 'cpu' and not torch.is_grad_enabled() and not torch.compiler.is_compiling()
            and not torch.jit.is_tracing())


def row_product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``F.linear`` of (..., C) with ``weight`` (O, C); in inference on a CPU it is computed by oneDNN.

    torch gives linear layers to MKL, which on AMD's processors runs at half the speed of oneDNN, and 1x1 convolutions
    to oneDNN (``fast_products`` brings whole networks there). The layer is such a convolution of an image one pixel
    high; the vertical stride means nothing there, but without it torch would not take oneDNN on one thread.
    """
    if (not on_cpu_in_inference(rows) or rows.dtype != torch.float32 or rows.shape[:-1].numel() < MIN_ROWS
            or not torch.backends.mkldnn.is_available()):
        return F.linear(rows, weight, bias)
    # oneDNN takes half as long for whole rows, the copy included
    pixels = rows.reshape(1, 1, -1, rows.shape[-1]).contiguous().permute(0, 3, 1, 2)
    out = F.conv2d(pixels, weight[:, :, None, None], bias, stride=(2, 1))
    return out.permute(0, 2, 3, 1).reshape(*rows.shape[:-1], -1)


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
            return x + self.layers(x)
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        for rows, target in zip(x.flatten(0, -2).split(CHUNK_ROWS), out.flatten(0, -2).split(CHUNK_ROWS)):
            hidden = row_linear(rows, self.layers[0][0]).relu_()
            torch.add(rows, row_linear(hidden, self.layers[1]), out=target)
        return out
