"""From GLEE's objects to the language model and from its [SEG] states back to GLEE's pixels."""
import math

import torch
from torch import Tensor, nn


class ObjectProjector(nn.Module):
    """Object queries as tokens of the language model (B.2).

    The box of an object is added through a layer that starts at zero, so that the start is the paper's. A picture with
    fewer objects than asked for is filled up with a learned token.

    Args:
        channels (int): C of GLEE's queries.
        width (int): D of the language model.
        frequencies (int): of the sine code of each of the four numbers of a box.
    """

    def __init__(self, channels: int, width: int, frequencies: int = 8) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.project = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, width), nn.GELU(), nn.Linear(width, width))
        self.box = nn.Sequential(nn.Linear(8 * frequencies, width), nn.GELU(), nn.Linear(width, width))
        self.null = nn.Parameter(torch.zeros(width))
        nn.init.zeros_(self.box[-1].weight)
        nn.init.zeros_(self.box[-1].bias)

    def forward(self, queries: Tensor, boxes: Tensor, count: int) -> Tensor:
        """Tokens (count, D) of queries (N, C) with boxes (N, 4) cxcywh in 0..1."""
        dtype = self.null.dtype
        queries, boxes = queries[:count].to(dtype), boxes[:count].to(dtype)
        tokens = self.project(queries) + self.box(self._code(boxes))
        return torch.cat([tokens, self.null.expand(count - len(tokens), -1)])

    def _code(self, boxes: Tensor) -> Tensor:
        """Sines and cosines (N, 8 F) of boxes (N, 4)."""
        scales = math.pi * 2.0**torch.arange(self.frequencies, device=boxes.device, dtype=boxes.dtype)
        angles = (boxes[..., None] * scales).flatten(1)
        return torch.cat([angles.sin(), angles.cos()], 1)


class SegProjector(nn.Sequential):
    """States of [SEG] (M, D) as mask embeddings (M, C)."""

    def __init__(self, width: int, channels: int) -> None:
        super().__init__(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, channels))
