"""One label per pixel from the probabilities of several objects."""
from typing import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor


class ObjectMerge:
    """Soft aggregation (DESIGN section 5, 'Tracking'): background is the product of 1 - p, argmax per pixel.

    Objects are added one at a time and only the best so far is kept, so that the memory does not grow
    with their number.

    Args:
        shape (tuple[int, int]): height and width.
        device: of the maps.
    """

    def __init__(self, shape: tuple[int, int], device=None) -> None:
        self.background = torch.ones(*shape, device=device)
        self.best = torch.zeros(*shape, device=device)
        self.owner = torch.full(tuple(shape), -1, device=device)
        self.count = 0

    def add(self, probability: Tensor) -> None:
        """Add the next object, (H, W) in 0..1; the earlier of two equal ones keeps a pixel."""
        self.background *= 1 - probability
        better = probability > self.best
        self.best = torch.where(better, probability, self.best)
        self.owner[better] = self.count
        self.count += 1

    def masks(self) -> Iterator[Tensor]:
        """Bool mask (H, W) of every object, in the order they were added."""
        owner = torch.where(self.best > self.background, self.owner, -1)
        return (owner == number for number in range(self.count))


def resize_to_original(values: Tensor, meta: dict) -> Tensor:
    """A map (h, w) over the padded input, at any resolution, to the original image (H, W)."""
    full = F.interpolate(values[None, None].float(), tuple(meta['batch_input_shape']), mode='bilinear',
                         align_corners=False)
    height, width = meta['img_shape'][:2]
    return F.interpolate(full[..., :height, :width], tuple(meta['ori_shape'][:2]), mode='bilinear',
                         align_corners=False)[0, 0]
