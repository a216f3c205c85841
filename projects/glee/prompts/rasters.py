"""What a user draws, as pixels (all sizes in px; a mask is bool (H, W))."""
from typing import NamedTuple, Sequence

import cv2
import numpy as np

POINT_DIVISOR = 40  # half a point's rectangle is the image side over this (DESIGN section 5)


class Patch(NamedTuple):
    """Pixels in a window of an image.

    ``top``, ``left``: the window's first row and column. ``mask``: (h, w) bool.
    """
    top: int
    left: int
    mask: np.ndarray

    def on(self, shape: Sequence[int]) -> np.ndarray:
        """The same over a whole image (H, W)."""
        full = np.zeros(tuple(shape), dtype=bool)
        full[self.top:self.top + self.mask.shape[0], self.left:self.left + self.mask.shape[1]] = self.mask
        return full


def point_patch(shape: Sequence[int], x: float, y: float, divisor: int = POINT_DIVISOR) -> Patch:
    """A click: the rectangle [y - H//40, y + H//40) x [x - W//40, x + W//40), clamped inside the image.

    At least one pixel each way, so that small images have points too.

    Raises:
        ValueError: the point is outside the image.
    """
    height, width = shape
    if not (0 <= x < width and 0 <= y < height):
        raise ValueError(f'point ({x}, {y}) is outside the image of {width} x {height} px (x, y from 0)')
    column, row = int(x), int(y)
    half_h, half_w = max(height // divisor, 1), max(width // divisor, 1)
    return _filled(max(row - half_h, 0), min(row + half_h, height), max(column - half_w, 0),
                   min(column + half_w, width))


def box_patch(shape: Sequence[int], box: Sequence[float]) -> Patch:
    """A filled box x1, y1, x2, y2: pixels x1..x2 - 1 of rows y1..y2 - 1; touched pixels count.

    Raises:
        ValueError: the box has no area or lies outside the image.
    """
    height, width = shape
    x1, y1, x2, y2 = (float(value) for value in box)
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f'box {tuple(box)} has no area: give x1 < x2 and y1 < y2')
    left, top = int(np.floor(max(x1, 0))), int(np.floor(max(y1, 0)))
    right, bottom = int(np.ceil(min(x2, width))), int(np.ceil(min(y2, height)))
    if left >= right or top >= bottom:
        raise ValueError(f'box {tuple(box)} is outside the image of {width} x {height} px')
    return _filled(top, bottom, left, right)


def _filled(top: int, bottom: int, left: int, right: int) -> Patch:
    return Patch(top, left, np.ones((bottom - top, right - left), dtype=bool))


def polygon_patch(shape: Sequence[int], points: Sequence[Sequence[float]]) -> Patch:
    """A polygon [(x, y), ...], filled by the even-odd rule, its outline included.

    Raises:
        ValueError: fewer than three vertices, or nothing of it inside the image.
    """
    if len(points) < 3:
        raise ValueError(f'a polygon needs at least 3 vertices, got {len(points)}')
    vertices = _vertices(points)
    canvas, left, top = _canvas(shape, vertices, 1)
    cv2.fillPoly(canvas, [vertices - np.int32((left, top))], 1)
    return _not_empty(Patch(top, left, canvas.astype(bool)), shape, 'polygon')


def scribble_patch(shape: Sequence[int], points: Sequence[Sequence[float]], brush: int | None = None) -> Patch:
    """A stroke along [(x, y), ...]: a line of one pixel dilated by a disk of ``brush`` px.

    Args:
        brush: diameter; by default max(3, H // 160).

    Raises:
        ValueError: no vertex, or nothing of it inside the image.
    """
    if not len(points):
        raise ValueError('a scribble needs at least one point')
    brush = max(3, shape[0] // 160) if brush is None else max(int(brush), 1)
    vertices = _vertices(points)
    canvas, left, top = _canvas(shape, vertices, brush)
    # OpenCV draws nothing for a line of a single vertex
    cv2.polylines(canvas, [np.concatenate([vertices[:1], vertices]) - np.int32((left, top))], False, 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (brush, brush))
    return _not_empty(Patch(top, left, cv2.dilate(canvas, disk).astype(bool)), shape, 'scribble')


def _vertices(points: Sequence[Sequence[float]]) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError(f'points contain a number that is not finite: {points.tolist()}')
    return np.floor(points).astype(np.int32)


def _canvas(shape: Sequence[int], vertices: np.ndarray, margin: int) -> tuple[np.ndarray, int, int]:
    """A blank window (h, w) of the image around vertices (n, 2) and ``margin`` px more, and its left and top there.

    Where the vertices leave the image the window ends with it, so that lines are cut as on the whole image.
    """
    height, width = shape
    low, high = vertices.min(0).astype(int) - margin, vertices.max(0).astype(int) + margin + 1
    left, top = int(np.clip(low[0], 0, width - 1)), int(np.clip(low[1], 0, height - 1))
    right, bottom = int(np.clip(high[0], left + 1, width)), int(np.clip(high[1], top + 1, height))
    return np.zeros((bottom - top, right - left), dtype=np.uint8), left, top


def mask_patch(shape: Sequence[int], mask: np.ndarray) -> Patch:
    """A given mask, checked, in the smallest window that holds it.

    Raises:
        ValueError: another size than the image, or no true pixel.
    """
    mask = drawn_mask(shape, mask)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Patch(int(rows[0]), int(columns[0]), mask[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1])


def drawn_mask(shape: Sequence[int], mask: np.ndarray) -> np.ndarray:
    """A given mask, checked: (H, W) bool.

    Raises:
        ValueError: another size than the image, or no true pixel.
    """
    mask = np.asarray(mask)
    if mask.shape != tuple(shape):
        raise ValueError(f'the mask is {mask.shape} but the image {tuple(shape)} (height, width)')
    mask = mask.astype(bool)
    return _not_empty(Patch(0, 0, mask), shape, 'mask').mask


def _not_empty(patch: Patch, shape: Sequence[int], what: str) -> Patch:
    if not patch.mask.any():
        raise ValueError(f'the {what} has no pixel inside the image of {shape[1]} x {shape[0]} px')
    return patch


# ---- over the whole image ----
def point_mask(shape: Sequence[int], x: float, y: float, divisor: int = POINT_DIVISOR) -> np.ndarray:
    """``point_patch`` over the whole image."""
    return point_patch(shape, x, y, divisor).on(shape)


def box_mask(shape: Sequence[int], box: Sequence[float]) -> np.ndarray:
    """``box_patch`` over the whole image."""
    return box_patch(shape, box).on(shape)


def polygon_mask(shape: Sequence[int], points: Sequence[Sequence[float]]) -> np.ndarray:
    """``polygon_patch`` over the whole image."""
    return polygon_patch(shape, points).on(shape)


def scribble_mask(shape: Sequence[int], points: Sequence[Sequence[float]], brush: int | None = None) -> np.ndarray:
    """``scribble_patch`` over the whole image."""
    return scribble_patch(shape, points, brush).on(shape)
