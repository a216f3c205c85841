"""Prompts moved with their image: nearest neighbour at pixel centres."""
from typing import Sequence

import numpy as np

from .rasters import Patch


def warp_mask(mask: np.ndarray, matrix: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A bool mask (H, W) as (H', W') under a map of pixels; one that this swallows keeps its centre pixel.

    Args:
        mask: (H, W) bool.
        matrix: (3, 3), maps (x, y, 1) of the edges of pixels.
        shape: H', W'.
    """
    height, width = shape
    if not mask.any():
        return np.zeros((height, width), dtype=bool)
    rows, columns = source_pixels(matrix, shape)
    inside = (columns >= 0) & (columns < mask.shape[1]) & (rows >= 0) & (rows < mask.shape[0])
    warped = mask[rows.clip(0, mask.shape[0] - 1), columns.clip(0, mask.shape[1] - 1)] & inside
    if not warped.any():
        row, column = np.argwhere(mask).mean(0) + 0.5
        x, y, scale = matrix @ np.array([column, row, 1.0])
        if 0 <= x / scale < width and 0 <= y / scale < height:
            warped[int(y / scale), int(x / scale)] = True
    return warped


def warp_patch(patch: Patch, rows: np.ndarray, columns: np.ndarray, onto: np.ndarray) -> None:
    """Set the pixels of a patch on a mask (H', W') bool; what is between the pixels it reads is lost.

    Args:
        patch: of the image.
        rows, columns: (H',) and (W',), the image's rows and columns that the mask reads.
        onto: (H', W') bool, changed in place.
    """
    height, width = patch.mask.shape
    own_rows = np.flatnonzero((rows >= patch.top) & (rows < patch.top + height))
    own_columns = np.flatnonzero((columns >= patch.left) & (columns < patch.left + width))
    onto[np.ix_(own_rows, own_columns)] |= patch.mask[
        np.ix_(rows[own_rows] - patch.top, columns[own_columns] - patch.left)]


def source_pixels(matrix: np.ndarray, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns that the pixels (H', W') come from; (H', 1) and (1, W') where axes stay axes.

    Arguments as of ``warp_mask``.
    """
    y, x = (places + 0.5 for places in np.ogrid[:shape[0], :shape[1]])
    x, y, scale = (sum(factor * places for factor, places in zip(row, (x, y, np.ones((1, 1)))) if factor)
                   for row in np.linalg.inv(matrix))
    return tuple(np.floor(places / scale + 1e-6).astype(np.int64) for places in (y, x))
