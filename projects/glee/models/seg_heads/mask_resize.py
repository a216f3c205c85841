"""Mask logits of the model to the size of a picture, a bounded part at a time."""
from math import ceil, floor
from typing import Callable, Iterator

import numpy as np
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


def resize_bands(logits: Tensor, padded: tuple, image: tuple, out: tuple, num_rows: int,
                 within: slice = slice(None)) -> Iterator[tuple[slice, Tensor]]:
    """``resize_logits`` from top to bottom, ``num_rows`` rows of all N masks at a time, equal up to rounding.

    ``within`` are the rows of the output that are wanted; by default all.

    Yields:
        tuple[slice, Tensor]: the next rows of the output, and their logits (N, rows, W).
    """
    rows = _resized(lambda start, stop: logits[:, start:stop].float(), logits.shape[1], padded)
    if tuple(image) != tuple(out):
        rows = _resized(_cut(rows, image[1]), image[0], out)
    else:
        rows = _cut(rows, image[1])
    first, last, _ = within.indices(out[0])
    for start in range(first, last, num_rows):
        stop = min(start + num_rows, last)
        yield slice(start, stop), rows(start, stop)


def positive_rows(logits: Tensor, padded: tuple, image: tuple, out: tuple) -> slice:
    """The rows of the output outside of which ``resize_logits`` of logits (N, h, w) is nowhere positive.

    What is interpolated between logits that are not positive is not positive, so they need not be computed.
    """
    rows = (logits > 0).any(2).any(0).nonzero()
    if not len(rows):
        return slice(0, 0)
    start, stop = int(rows[0]), int(rows[-1]) + 1
    start, stop = _reached(start, stop, logits.shape[1], padded[0])
    if tuple(image) != tuple(out):
        start, stop = _reached(start, min(stop, image[0]), image[0], out[0])
    return slice(start, min(stop, out[0]))


def _reached(start: int, stop: int, height: int, size: int) -> tuple[int, int]:
    """Rows of a map resized from ``height`` to ``size`` that read any of the rows from ``start`` to ``stop``."""
    return max(floor((start - 0.5) * size / height) - 1, 0), min(ceil((stop + 0.5) * size / height) + 1, size)


def _cut(rows: Rows, width: int) -> Rows:
    return lambda start, stop: rows(start, stop)[..., :width]


def _resized(rows: Rows, height: int, size: tuple) -> Rows:
    """Rows of maps of ``height``, bilinearly resized to ``size``; each call reads only the rows it needs."""

    def resized(start: int, stop: int) -> Tensor:
        # in float32, as torch computes places
        place = np.arange(start + 0.5, stop, dtype=np.float32) * np.float32(height / size[0]) - np.float32(0.5)
        place = place.clip(0)
        above = place.astype(int)
        below = (above + 1).clip(max=height - 1)
        first = int(above[0])
        read = rows(first, int(below[-1]) + 1)
        wide = F.interpolate(read[:, None], (read.shape[1], size[1]), mode='bilinear', align_corners=False)[:, 0]
        if height == size[0]:
            return wide[:, :stop - start]
        weight, above, below = (torch.from_numpy(part).to(wide.device, non_blocking=True)
                                for part in ((place - above.astype(np.float32))[:, None], above - first, below - first))
        return wide[:, above].mul_(1 - weight).addcmul_(wide[:, below], weight)

    return resized


def count_pixels(masks: Tensor) -> Tensor:
    """True pixels (N,) Long of each bool mask (N, H, W)."""
    if masks.device.type != 'cpu':
        return masks.count_nonzero((1, 2))
    return torch.tensor([int(mask.count_nonzero()) for mask in masks])  # twenty times as fast on a CPU
