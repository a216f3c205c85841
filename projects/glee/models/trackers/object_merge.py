"""Whose pixel is it: one label per pixel from what several objects claim. Panoptic maps have a rule of their own."""
from typing import Iterator

import torch
from torch import Tensor


class ObjectMerge:
    """A pixel belongs to the object with the largest claim, the earliest of equal ones, unless background claims more.

    Objects are added one at a time and only the best so far is kept, so that the memory does not grow
    with their number.

    Args:
        shape (tuple[int, int]): height and width.
        device: of the maps.
        background (str | float | None): what background claims: 'product', the product of 1 - p of all
            objects' probabilities (soft aggregation, DESIGN section 5, 'Tracking'); one number for all pixels; or
            None for nothing, so that a claim of 0 is enough and a negative one is none.
        dtype: of the claims.
    """

    def __init__(self, shape: tuple[int, int], device=None, background: str | float | None = 'product',
                 dtype: torch.dtype = torch.float32) -> None:
        self.soft = background == 'product'
        claim = 1. if self.soft else -1. if background is None else float(background)
        self.background = torch.full(tuple(shape), claim, device=device, dtype=dtype)
        self.best = torch.full(tuple(shape), -1. if background is None else 0., device=device, dtype=dtype)
        self.owner = torch.full(tuple(shape), -1, device=device)
        self.count = 0

    def add(self, claim: Tensor) -> None:
        """Add the next object's claim, (H, W); a probability where background is soft."""
        if self.soft:
            self.background *= 1 - claim
        better = claim > self.best
        self.best = torch.where(better, claim, self.best)
        self.owner[better] = self.count
        self.count += 1

    def masks(self) -> Iterator[Tensor]:
        """Bool mask (H, W) of every object, in the order they were added."""
        owner = torch.where(self.best > self.background, self.owner, -1)
        return (owner == number for number in range(self.count))
