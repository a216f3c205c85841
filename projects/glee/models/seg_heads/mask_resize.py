"""Mask logits of the model to the size of a picture, a bounded part at a time."""
from typing import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

Rows = Callable[[int, int], Tensor]


def resize_logits(logits: Tensor, padded: tuple, image: tuple, out: tuple) -> Tensor:
    """Mask logits (N, h, w) to the padded input, cut to the image, and to the output size: (N, H, W)."""
    full = F.interpolate(logits[:, None].float(), tuple(padded), mode='bilinear',
                         align_corners=False)[..., :image[0], :image[1]]
    if tuple(image) != tuple(out):
        full = F.interpolate(full, tuple(out), mode='bilinear', align_corners=False)
    return full[:, 0]


def resize_bands(logits: Tensor, padded: tuple, image: tuple, out: tuple,
                 num_rows: int) -> Iterator[tuple[slice, Tensor]]:
    """``resize_logits`` from top to bottom, ``num_rows`` rows of all N masks at a time, equal up to rounding.

    Yields:
        tuple[slice, Tensor]: the next rows of the output, and their logits (N, rows, W).
    """
    rows = _resized(lambda start, stop: logits[:, start:stop].float(), logits.shape[1], padded)
    if tuple(image) != tuple(out):
        rows = _resized(_cut(rows, image[1]), image[0], out)
    else:
        rows = _cut(rows, image[1])
    for start in range(0, out[0], num_rows):
        stop = min(start + num_rows, out[0])
        yield slice(start, stop), rows(start, stop)


def _cut(rows: Rows, width: int) -> Rows:
    return lambda start, stop: rows(start, stop)[..., :width]


def _resized(rows: Rows, height: int, size: tuple) -> Rows:
    """Rows of maps of ``height``, bilinearly resized to ``size``; each call reads only the rows it needs."""

    def resized(start: int, stop: int) -> Tensor:
        place = (torch.arange(start, stop) + 0.5) * (torch.tensor(float(height)) / size[0]) - 0.5
        place = place.clamp(min=0)
        above = place.long()
        below = (above + 1).clamp(max=height - 1)
        first = int(above[0])
        read = rows(first, int(below[-1]) + 1)
        wide = F.interpolate(read[:, None], (read.shape[1], size[1]), mode='bilinear', align_corners=False)[:, 0]
        if height == size[0]:
            return wide
        weight = (place - above)[:, None].to(wide.device)
        above, below = (above - first).to(wide.device), (below - first).to(wide.device)
        return wide[:, above].mul_(1 - weight).addcmul_(wide[:, below], weight)

    return resized
