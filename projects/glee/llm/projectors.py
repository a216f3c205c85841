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
        with_masks (bool): add the mask embedding of an object through a linear layer, too.
        frequencies (int): of the sine code of each of the four numbers of a box.
    """

    def __init__(self, channels: int, width: int, with_masks: bool = False, frequencies: int = 8) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.project = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, width), nn.GELU(), nn.Linear(width, width))
        self.box = nn.Sequential(nn.Linear(8 * frequencies, width), nn.GELU(), nn.Linear(width, width))
        self.null = nn.Parameter(torch.zeros(width))
        nn.init.zeros_(self.box[-1].weight)
        nn.init.zeros_(self.box[-1].bias)
        self.mask = nn.Linear(channels, width, bias=False) if with_masks else None
        if with_masks:
            nn.init.orthogonal_(self.mask.weight)

    def forward(self, queries: Tensor, boxes: Tensor, mask_embeds: Tensor, count: int) -> Tensor:
        """Tokens (count, D) of queries (N, C) with boxes (N, 4) cxcywh in 0..1 and mask embeddings (N, C)."""
        dtype = self.null.dtype
        queries, boxes, mask_embeds = (one[:count].to(dtype) for one in (queries, boxes, mask_embeds))
        tokens = self.project(queries) + self.box(self._code(boxes))
        if self.mask is not None:
            tokens = tokens + self.mask(mask_embeds)
        return torch.cat([tokens, self.null.expand(count - len(tokens), -1)])

    def _code(self, boxes: Tensor) -> Tensor:
        """Sines and cosines (N, 8 F) of boxes (N, 4)."""
        scales = math.pi * 2.0**torch.arange(self.frequencies, device=boxes.device, dtype=boxes.dtype)
        angles = (boxes[..., None] * scales).flatten(1)
        return torch.cat([angles.sin(), angles.cos()], 1)


class SegProjector(nn.Module):
    """States of [SEG] as mask embeddings: two layers (B.2).

    Args:
        width (int): D of the language model.
        channels (int): C of GLEE.
        with_skip (bool): add a linear layer beside the two.
    """

    def __init__(self, width: int, channels: int, with_skip: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, channels))
        self.skip = nn.Linear(width, channels, bias=False) if with_skip else None

    def forward(self, states: Tensor) -> Tensor:
        """Embeddings (M, C) of states (M, D)."""
        out = self.layers(states)
        return out if self.skip is None else out + self.skip(states)
