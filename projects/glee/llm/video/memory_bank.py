"""A memory of the masks of earlier frames, read into GLEE's pixel embeddings (GLUS's end-to-end memory bank)."""
import math
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .memory_schedule import SLOTS, STRIDE, forgotten, remembered


class MemoryLayer(nn.Module):
    """Cells of a frame look at each other and at the memory.

    Args:
        width (int): of the cells.
        heads (int): of attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.own = nn.MultiheadAttention(width, heads, batch_first=True)
        self.memory = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, cells: Tensor, places: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Cells (1, L, D) at ``places`` (1, L, D), memory ``keys`` and ``values`` (1, M, D)."""
        normed = self.norms[0](cells)
        cells = cells + self.own(normed + places, normed + places, normed, need_weights=False)[0]
        normed = self.norms[1](cells)
        cells = cells + self.memory(normed + places, keys, values, need_weights=False)[0]
        return cells + self.feed(self.norms[2](cells))


class MemoryBank(nn.Module):
    """Remembers pixel embeddings with their masks, and changes those of later frames by them.

    What is read is multiplied by a gate that starts at zero: an untrained bank changes nothing.

    Args:
        channels (int): C of the pixel embeddings.
        width (int): of memories and layers.
        layers (int), heads (int): of reading.
        detach (bool): no gradient into the masks of earlier frames (GLUS, which does not train what makes memories
            either; ours has no weights to begin with).
    """

    def __init__(self, channels: int, width: int = 64, layers: int = 2, heads: int = 4, detach: bool = True) -> None:
        super().__init__()
        self.width, self.detach = width, detach
        self.pixels_in = nn.Conv2d(channels, width, 1)
        self.mask_in = nn.Sequential(
            nn.Conv2d(1, width // 4, 3, 2, 1), nn.GELU(), nn.Conv2d(width // 4, width, 3, 2, 1))
        self.fuse = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.GELU(), nn.Conv2d(width, width, 1))
        self.slots = nn.Parameter(torch.randn(SLOTS, width) * 0.02)
        self.layers = nn.ModuleList(MemoryLayer(width, heads) for _ in range(layers))
        self.out = nn.Conv2d(width, channels, 1)
        self.gate = nn.Parameter(torch.zeros(()))

    def _small(self, pixels: Tensor) -> Tensor:
        """Embeddings (C, h, w) at a sixteenth of the picture, (1, D, h / 4, w / 4)."""
        return self.pixels_in(F.avg_pool2d(pixels[None].to(self.gate), 4, ceil_mode=True, count_include_pad=False))

    def encode(self, pixels: Tensor, mask: Tensor) -> Tensor:
        """A memory (D, h', w') of embeddings (C, h, w) with mask logits (h, w)."""
        if self.detach:
            mask = mask.detach()
        small = self._small(pixels)
        drawn = self.mask_in(2 * mask.to(self.gate).sigmoid()[None, None] - 1)
        return self.fuse(small + F.interpolate(drawn, small.shape[-2:], mode='bilinear', align_corners=False))[0]

    def read(self, pixels: Tensor, memories: list[tuple[int, Tensor]]) -> Tensor:
        """Embeddings (C, h, w) changed by memories [(slot, (D, h', w'))]; themselves without any."""
        if not memories:
            return pixels
        small = self._small(pixels)
        places = place_code(small.shape[-2:], self.width, small)
        cells, places = (value.flatten(2).transpose(1, 2) for value in (small, places))
        values = torch.cat([memory.flatten(1).t() for _, memory in memories])[None]
        keys = torch.cat([(memory.flatten(1).t() + places[0] + self.slots[slot]) for slot, memory in memories])[None]
        for layer in self.layers:
            cells = layer(cells, places, keys, values)
        change = self.out(cells.transpose(1, 2).reshape(small.shape))
        change = F.interpolate(change, pixels.shape[-2:], mode='bilinear', align_corners=False)[0]
        return pixels.to(change) + self.gate * change


class VideoMemory:
    """The memories of one pass of one expression through a video; their number does not grow.

    Args:
        bank (MemoryBank | None): None remembers nothing.
        stride (int): as of ``remembered``.
    """

    def __init__(self, bank: Optional[MemoryBank], stride: int = STRIDE) -> None:
        self.bank, self.stride = bank, stride
        self.frame, self.kept = 0, {}

    def read(self, pixels: Tensor) -> Tensor:
        """Embeddings (C, h, w) of the next frame, changed by what is remembered."""
        if self.bank is None:
            return pixels
        frames = remembered(self.frame, self.stride)
        return self.bank.read(pixels, [(slot, self.kept[frame]) for slot, frame in enumerate(frames)])

    def write(self, pixels: Tensor, mask: Tensor) -> None:
        """Remember the next frame, embeddings (C, h, w) and mask logits (h, w), and go on to the one after it."""
        if self.bank is not None:
            self.kept[self.frame] = self.bank.encode(pixels, mask)
        self.frame += 1
        oldest = forgotten(self.frame, self.stride)
        self.kept = {frame: memory for frame, memory in self.kept.items()
                     if frame == self.frame - 1 or frame >= oldest and frame % self.stride == 0}


def place_code(size: tuple[int, int], width: int, like: Tensor) -> Tensor:
    """Sine code (1, width, h, w) of the places of a grid."""
    scales = math.pi * 2.0**torch.linspace(-1, 6, width // 4, device=like.device).to(like)
    ys, xs = ((torch.arange(side, device=like.device).to(like) + 0.5) / side for side in size)
    rows, columns = (torch.cat([(at[:, None] * scales).sin(), (at[:, None] * scales).cos()], 1) for at in (ys, xs))
    height, wide = size
    return torch.cat([rows[:, None].expand(-1, wide, -1), columns[None].expand(height, -1, -1)], -1).permute(
        2, 0, 1)[None]
