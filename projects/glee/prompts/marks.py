"""What a user points with, kept as geometry and drawn once, at the size of the model's input."""
from typing import Callable, NamedTuple, Sequence

import numpy as np

from ..structures.masks import Rle, decode, encode
from . import rasters
from .rasters import Patch
from .warping import source_pixels, warp_mask, warp_patch

Round = Sequence['Mark']


class Mark(NamedTuple):
    """One mark on an image.

    ``kind``: what it counts as, 'point', 'box', 'polygon', 'scribble' or 'mask'. ``positive``: whether it is on the
    object. ``points``: (x, y) px of the original image: the point, two corners, or vertices. ``rle``: of given pixels
    in a window whose first column and row are ``points[0]``; None where points say it all.
    """
    kind: str
    positive: bool
    points: tuple[tuple[float, float], ...]
    rle: Rle | None = None

    @classmethod
    def of_mask(cls, kind: str, shape: Sequence[int], mask: np.ndarray) -> 'Mark':
        """Given pixels.

        Raises:
            ValueError: another size than the image, or no true pixel.
        """
        patch = rasters.mask_patch(shape, mask)
        return cls(kind, True, ((patch.left, patch.top), ), encode(patch.mask))

    def patch(self, shape: Sequence[int]) -> Patch:
        """Its pixels in an image of ``shape`` (H, W).

        Raises:
            ValueError: it is outside the image or empty.
        """
        if self.rle is not None:
            left, top = self.points[0]
            return Patch(int(top), int(left), decode(self.rle))
        if self.kind == 'point':
            return rasters.point_patch(shape, *self.points[0])
        if self.kind == 'box':
            return rasters.box_patch(shape, (*self.points[0], *self.points[1]))
        return (rasters.polygon_patch if self.kind == 'polygon' else rasters.scribble_patch)(shape, self.points)


def draw_rounds(rounds: Sequence[Round], shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Positive and negative pixels (H, W) bool of several rounds over the original image; this is the definition.

    Where rounds contradict each other the later one holds, but an object never loses its last positive pixel.
    """
    def draw(mark: Mark, onto: np.ndarray) -> None:
        top, left, mask = mark.patch(shape)
        onto[top:top + mask.shape[0], left:left + mask.shape[1]] |= mask

    return _join(rounds, shape, draw)[:2]


def warp_rounds(rounds: Sequence[Round], shape: Sequence[int], matrix: np.ndarray,
                out_shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """``draw_rounds`` seen through ``warp_mask``, bit by bit, without masks of the original size.

    A pixel of the result reads one of the original, so marks can be joined after the map as well as before. Only where
    nothing of something is left after it, that must be asked of the original pixels.

    Args:
        rounds: of one object.
        shape: height and width of the original image.
        matrix: (3, 3), maps (x, y, 1) of the edges of its pixels.
        out_shape: H', W' of the result.
    """
    rows, columns = source_pixels(matrix, out_shape)
    if rows.shape[1] == columns.shape[0] == 1:  # axes stay axes
        *signs, certain = _join(rounds, out_shape, lambda mark, onto: warp_patch(
            mark.patch(shape), rows[:, 0], columns[0], onto))
        if certain:
            return tuple(signs)
    return tuple(warp_mask(mask, matrix, out_shape) for mask in draw_rounds(rounds, shape))


def _join(rounds: Sequence[Round], shape: Sequence[int],
          draw: Callable[[Mark, np.ndarray], None]) -> tuple[np.ndarray, np.ndarray, bool]:
    """Positive and negative pixels, and whether they would be the same if marks fell between pixels."""
    positive, negative = np.zeros(tuple(shape), bool), np.zeros(tuple(shape), bool)
    signs, certain = set(), True
    for marks in rounds:
        drawn = {True: np.zeros_like(positive), False: np.zeros_like(positive)}
        for mark in marks:
            draw(mark, drawn[mark.positive])
        kept = positive & ~drawn[False]
        if kept.any():
            positive = kept
        elif True in signs:
            certain = False
        positive, negative = positive | drawn[True], (negative & ~drawn[True]) | drawn[False]
        signs |= {mark.positive for mark in marks}
    certain &= all(mask.any() for sign, mask in ((True, positive), (False, negative)) if sign in signs)
    return positive, negative, certain
