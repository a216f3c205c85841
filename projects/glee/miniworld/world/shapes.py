"""Outlines of the MiniWorld shapes and their footprints on the pixel grid."""
from functools import lru_cache

import cv2
import numpy as np

from .vocabulary import SHAPES

SUPERSAMPLING = 4


def _arc(radius: float, start: float, stop: float, centre_x: float = 0., points: int = 48):
    angles = np.linspace(start, stop, points)
    return np.stack([centre_x + radius * np.cos(angles), radius * np.sin(angles)], 1)


def _regular(corners: int, inner: float = None) -> np.ndarray:
    """A regular polygon, or a star when the radius of the inner corners is given."""
    count = corners if inner is None else 2 * corners
    angles = -np.pi / 2 + 2 * np.pi * np.arange(count) / count
    radii = np.ones(count)
    if inner is not None:
        radii[1::2] = inner
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)


def _crescent() -> np.ndarray:
    """A disc of radius 1 minus a disc of radius `bite` around (shift, 0)."""
    bite, shift = 0.8, 0.55
    x = (1 - bite**2 + shift**2) / (2 * shift)
    y = np.sqrt(1 - x**2)
    outer = np.arctan2(y, x)
    inner = np.arctan2(y, x - shift)
    return np.concatenate([
        _arc(1, outer, 2 * np.pi - outer),
        _arc(bite, 2 * np.pi - inner, inner, shift),
    ])


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x = 16 * np.sin(t)**3
    y = 13 * np.cos(t) - 7 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y], 1) / 16


def _mirrored(points) -> np.ndarray:
    """Closes a half outline by its mirror image in the x axis."""
    points = np.array(points, float)
    return np.concatenate([points, points[::-1] * (1, -1)])


_ARM = 0.34
_OUTLINES = {
    'circle': [_arc(1, 0, 2 * np.pi)],
    'square': [np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)],
    'triangle': [_regular(3)],
    'star': [_regular(5, inner=0.42)],
    'ring': [_arc(1, 0, 2 * np.pi), _arc(0.52, 0, 2 * np.pi)],
    'cross': [
        np.array([(-_ARM, -1), (_ARM, -1), (_ARM, -_ARM), (1, -_ARM), (1, _ARM), (_ARM, _ARM),
                  (_ARM, 1), (-_ARM, 1), (-_ARM, _ARM), (-1, _ARM), (-1, -_ARM), (-_ARM, -_ARM)])
    ],
    'heart': [_heart()],
    'crescent': [_crescent()],
    'arrow': [_mirrored([(-1, -0.28), (0.05, -0.28), (0.05, -0.78), (1, 0)])],
    'hourglass': [
        np.array([(-0.8, -1), (0.8, -1), (0.17, 0), (0.8, 1), (-0.8, 1), (-0.17, 0)])
    ],
}
assert tuple(_OUTLINES) == SHAPES


def outline(obj) -> list:
    """The outline of an object in the image.

    Args:
        obj (SceneObject): what to draw.

    Returns:
        list[np.ndarray]: rings of (N, 2) x, y in px (pixel (0, 0) covers 0..1), the outer ring
        first and then holes. The box of the outer ring is centred on (obj.x, obj.y) and its
        longest side is obj.size.
    """
    angle = np.deg2rad(obj.angle)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    rings = [ring @ turn for ring in _OUTLINES[obj.shape]]
    low, high = rings[0].min(0), rings[0].max(0)
    scale = obj.size / (high - low).max()
    return [(ring - (low + high) / 2) * scale + (obj.x, obj.y) for ring in rings]


def window(rings: list, height: int, width: int) -> tuple:
    """The pixel window (x0, y0, x1, y1; end exclusive) around an outline, cut to the image."""
    low = np.floor(rings[0].min(0)).astype(int) - 1
    high = np.ceil(rings[0].max(0)).astype(int) + 1
    return max(low[0], 0), max(low[1], 0), min(high[0], width), min(high[1], height)


def fine_footprint(rings: list, box: tuple) -> np.ndarray:
    """The outline filled on a grid `SUPERSAMPLING` times as fine as the pixels.

    Args:
        rings (list[np.ndarray]): as `outline` returns them.
        box (tuple): the window of `window`, px.

    Returns:
        np.ndarray: uint8 (h * SUPERSAMPLING, w * SUPERSAMPLING) of 0 and 1.
    """
    x0, y0, x1, y1 = box
    canvas = np.zeros(((y1 - y0) * SUPERSAMPLING, (x1 - x0) * SUPERSAMPLING), np.uint8)
    cv2.fillPoly(canvas, fine_points(rings, box), 1, shift=4)
    return canvas


def fine_points(rings: list, box: tuple) -> list:
    """Outline points on the fine grid in OpenCV's fixed point (4 fractional bits)."""
    # OpenCV puts integer coordinates at pixel centres.
    return [
        np.round(((ring - box[:2]) * SUPERSAMPLING - 0.5) * 16).astype(np.int32) for ring in rings
    ]


def coverage(fine: np.ndarray) -> np.ndarray:
    """Share of each pixel that the fine footprint covers, float32 (h, w)."""
    height, width = (side // SUPERSAMPLING for side in fine.shape)
    return cv2.resize(fine.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=256)
def footprint(obj, height: int, width: int) -> np.ndarray:
    """Bool (height, width): the pixels that an object covers by half or more, occlusion aside."""
    rings = outline(obj)
    box = window(rings, height, width)
    mask = np.zeros((height, width), bool)
    mask[box[1]:box[3], box[0]:box[2]] = coverage(fine_footprint(rings, box)) >= 0.5
    mask.setflags(write=False)
    return mask
