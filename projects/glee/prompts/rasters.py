"""What a user draws, as pixels (all sizes in px; a mask is bool (H, W))."""
from typing import Sequence

import cv2
import numpy as np

POINT_DIVISOR = 40  # half a point's rectangle is the image side over this (DESIGN section 5)


def point_mask(shape: Sequence[int], x: float, y: float, divisor: int = POINT_DIVISOR) -> np.ndarray:
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
    mask = np.zeros((height, width), dtype=bool)
    mask[max(row - half_h, 0):row + half_h, max(column - half_w, 0):column + half_w] = True
    return mask


def box_mask(shape: Sequence[int], box: Sequence[float]) -> np.ndarray:
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
    mask = np.zeros((height, width), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def _vertices(points: Sequence[Sequence[float]]) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError(f'points contain a number that is not finite: {points.tolist()}')
    return np.floor(points).astype(np.int32)


def polygon_mask(shape: Sequence[int], points: Sequence[Sequence[float]]) -> np.ndarray:
    """A polygon [(x, y), ...], filled by the even-odd rule, its outline included.

    Raises:
        ValueError: fewer than three vertices, or nothing of it inside the image.
    """
    if len(points) < 3:
        raise ValueError(f'a polygon needs at least 3 vertices, got {len(points)}')
    mask = np.zeros(tuple(shape), dtype=np.uint8)
    cv2.fillPoly(mask, [_vertices(points)], 1)
    return _not_empty(mask, 'polygon')


def scribble_mask(shape: Sequence[int], points: Sequence[Sequence[float]], brush: int | None = None) -> np.ndarray:
    """A stroke along [(x, y), ...]: a line of one pixel dilated by a disk of ``brush`` px.

    Args:
        brush: diameter; by default max(3, H // 160).

    Raises:
        ValueError: no vertex, or nothing of it inside the image.
    """
    if not len(points):
        raise ValueError('a scribble needs at least one point')
    brush = max(3, shape[0] // 160) if brush is None else max(int(brush), 1)
    mask = np.zeros(tuple(shape), dtype=np.uint8)
    vertices = _vertices(points)
    # OpenCV draws nothing for a line of a single vertex
    cv2.polylines(mask, [np.concatenate([vertices[:1], vertices])], False, 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (brush, brush))
    return _not_empty(cv2.dilate(mask, disk), 'scribble')


def drawn_mask(shape: Sequence[int], mask: np.ndarray) -> np.ndarray:
    """A given mask, checked.

    Raises:
        ValueError: another size than the image, or no true pixel.
    """
    mask = np.asarray(mask)
    if mask.shape != tuple(shape):
        raise ValueError(f'the mask is {mask.shape} but the image {tuple(shape)} (height, width)')
    return _not_empty(mask, 'mask')


def _not_empty(mask: np.ndarray, what: str) -> np.ndarray:
    mask = mask.astype(bool)
    if not mask.any():
        raise ValueError(f'the {what} has no pixel inside the image of {mask.shape[1]} x {mask.shape[0]} px')
    return mask
