"""Draws a MiniWorld scene."""
from functools import lru_cache

import cv2
import numpy as np

from .scene import Background, Scene, SceneObject
from .shapes import SUPERSAMPLING, coverage, fine_footprint, fine_points, outline, window
from .vocabulary import COLOURS

# Patterns are the same colour, darker: no mixture comes near another colour, as one with white
# would, and a small object keeps its outline.
PATTERN_SHADE = 0.28
RIM = np.array((28, 26, 30), np.float32)


def render(scene: Scene) -> np.ndarray:
    """The picture of a scene.

    Returns:
        np.ndarray: uint8 RGB (height, width, 3).
    """
    image = _texture(scene.background, scene.height, scene.width).copy()
    for obj in scene.objects:
        _paint(image, obj)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def _paint(image: np.ndarray, obj: SceneObject):
    """Blends one object into the float image in place."""
    rings = outline(obj)
    box = window(rings, *image.shape[:2])
    fine = fine_footprint(rings, box)
    rim = np.zeros_like(fine)
    cv2.polylines(rim, fine_points(rings, box), True, 1, thickness=SUPERSAMPLING, shift=4)
    rim *= fine
    pattern = _pattern(obj, fine.shape, box) * fine * (1 - rim)
    alpha, rim, dark = (coverage(part)[..., None] for part in (fine, rim, pattern))
    colour = np.array(COLOURS[obj.colour], np.float32) * np.float32(obj.shade)
    patch = image[box[1]:box[3], box[0]:box[2]]
    patch *= 1 - alpha
    patch += colour * (alpha - rim - dark * np.float32(1 - PATTERN_SHADE)) + RIM * rim


def _pattern(obj: SceneObject, shape: tuple, box: tuple) -> np.ndarray:
    """Where the fill is dark on the fine grid, uint8 of 0 and 1. It turns with the object."""
    if obj.fill == 'solid':
        return np.zeros(shape, np.uint8)
    x = ((np.arange(shape[1], dtype=np.float32) + 0.5) / SUPERSAMPLING + box[0] - obj.x)[None]
    y = ((np.arange(shape[0], dtype=np.float32) + 0.5) / SUPERSAMPLING + box[1] - obj.y)[:, None]
    cos, sin = np.float32(np.cos(np.deg2rad(obj.angle))), np.float32(np.sin(np.deg2rad(obj.angle)))
    period = np.float32(max(5., 0.17 * obj.size))
    u = (x * cos - y * sin) / period
    if obj.fill == 'striped':
        return (u - np.floor(u) < 0.42).astype(np.uint8)
    v = (x * sin + y * cos) / period
    return ((u - np.round(u))**2 + (v - np.round(v))**2 < 0.3**2).astype(np.uint8)


@lru_cache(maxsize=2)  # the frames of a video share it
def _texture(background: Background, height: int, width: int) -> np.ndarray:
    """The background, float32 RGB (height, width, 3)."""
    rng = np.random.default_rng(background.seed)
    x = np.arange(width, dtype=np.float32)[None]
    y = np.arange(height, dtype=np.float32)[:, None]
    angle = np.deg2rad(background.angle)
    along = (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)))
    across = (y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle)))
    turn = np.float32(2 * np.pi / background.period)
    grain = 2.5
    if background.kind == 'clouds':
        cells = (max(int(height / background.period), 2), max(int(width / background.period), 2))
        coarse = rng.uniform(-1, 1, cells).astype(np.float32)
        level = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    elif background.kind == 'waves':
        level = np.sin(along * turn + np.sin(across * turn / 2))
    elif background.kind == 'checks':
        level = np.sign(np.sin(along * turn) * np.sin(across * turn)) * np.float32(0.5)
    else:
        level = along / np.float32(max(height, width))
        grain = background.contrast / 1.5 if background.kind == 'grain' else grain
    noise = rng.standard_normal((height, width), np.float32) * np.float32(grain)
    grey = level * np.float32(background.contrast) + noise
    return grey[..., None] + np.array(background.colour, np.float32)
