"""Prompts as a user would draw them, from the mask of an object (SEEM's samplers and GLEE's)."""
from typing import Callable, Dict, Optional

import cv2
import numpy as np

from .rasters import box_mask, point_mask

MIN_PIXELS = 10  # a smaller object gives no prompt
_SMOOTH, _EDGY = 0.2, 0.05


def box_of(mask: np.ndarray) -> tuple:
    """x1, y1, x2, y2 of the true pixels, the last ones exclusive."""
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def sample_point(mask: np.ndarray, rng: np.random.Generator, max_points: int = 1) -> np.ndarray:
    """Rectangles (see ``point_mask``) around 1..``max_points`` random pixels of the object; SEEM takes 20."""
    pixels = np.argwhere(mask)
    count = rng.integers(1, min(max_points, len(pixels)) + 1)
    chosen = pixels[rng.choice(len(pixels), count, replace=False)]
    return np.logical_or.reduce([point_mask(mask.shape, x, y) for y, x in chosen])


def sample_box(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The filled box of the object."""
    return box_mask(mask.shape, box_of(mask))


def sample_mask(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The object itself."""
    return mask.copy()


def sample_polygon(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A thin closed Bézier curve through 1..9 random points of the object's box, sorted by angle."""
    left, top, right, bottom = box_of(mask)
    count = rng.integers(1, 10)
    points = rng.uniform((left, top), (right, bottom), (count, 2))
    centre = points - points.mean(0)
    curve = _closed_curve(points[np.argsort(np.arctan2(centre[:, 1], centre[:, 0]))])
    drawn = np.zeros(mask.shape, dtype=np.uint8)
    curve = np.clip(np.floor(curve), (left, top), (right - 1, bottom - 1))
    cv2.polylines(drawn, [curve.astype(np.int32)], True, 1)
    return drawn.astype(bool)


def _closed_curve(points: np.ndarray, steps: int = 24) -> np.ndarray:
    """Cubic Bézier pieces through ``points`` (n, 2); handles are a fifth of the chord long.

    The direction at a point leans a little from the mean of both edges to the one that follows.
    """
    if len(points) < 3:
        return np.concatenate([points[:1], points])
    edges = np.roll(points, -1, axis=0) - points
    chords = np.linalg.norm(edges, axis=1, keepdims=True)
    unit = edges / np.maximum(chords, 1e-9)
    lean = np.arctan(_EDGY) / np.pi + 0.5
    direction = lean * unit + (1 - lean) * np.roll(unit, 1, axis=0)
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    ends = np.roll(points, -1, axis=0)
    first = points + _SMOOTH * chords * direction
    second = ends - _SMOOTH * chords * np.roll(direction, -1, axis=0)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    curve = (1 - t)**3 * points + 3 * t * (1 - t)**2 * first + 3 * t**2 * (1 - t) * second + t**3 * ends
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def sample_scribble(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """1..5 free strokes, long and broad or short and thin with equal chance, inside the object."""
    vertices, brush = ((10, 30), (3, 10)) if rng.random() < 0.5 else ((6, 22), (2.5, 5))
    return _strokes(mask, rng, vertices, brush)


def sample_circle(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """1..5 thick blobs inside the object."""
    brush = (20, 50) if rng.random() < 0.5 else (10, 30)
    return _strokes(mask, rng, (1, 2), brush)


def _strokes(mask: np.ndarray, rng: np.random.Generator, vertices: tuple, brush: tuple) -> np.ndarray:
    """Random walks that start in the object, drawn and cut to it."""
    pixels = np.argwhere(mask)
    reach = max(np.sqrt(len(pixels)) / 4, 1.0)
    drawn = np.zeros(mask.shape, dtype=np.uint8)
    for _ in range(rng.integers(1, 6)):
        count = rng.integers(vertices[0], vertices[1] + 1)
        turns = np.cumsum(np.append(rng.uniform(0, 2 * np.pi), rng.normal(0, 0.8, count - 1)))
        moves = np.stack([np.cos(turns), np.sin(turns)], 1) * rng.uniform(0, reach, (count, 1))
        start = pixels[rng.integers(len(pixels))][::-1]
        path = np.concatenate([start[None], start + np.cumsum(moves, 0)])
        width = max(1, int(round(rng.uniform(*brush))))
        cv2.polylines(drawn, [np.floor(path).astype(np.int32)], False, 1, thickness=width)
    return drawn.astype(bool) & mask


# What each sampler draws counts as this kind of prompt.
SAMPLERS: Dict[str, tuple] = dict(
    point=(sample_point, 'point'), box=(sample_box, 'box'), polygon=(sample_polygon, 'polygon'),
    scribble=(sample_scribble, 'scribble'), circle=(sample_circle, 'scribble'), mask=(sample_mask, 'mask'))


def sample_prompt(kind: str, mask: np.ndarray, rng: np.random.Generator, **kwargs) -> Optional[np.ndarray]:
    """A prompt of one kind for the object ``mask`` (H, W) bool, None for an object below ten pixels."""
    sampler: Callable = SAMPLERS[kind][0]
    return sampler(mask, rng, **kwargs) if mask.sum() >= MIN_PIXELS else None


def check_kinds(kinds: Dict[str, float], where: str) -> None:
    """Raise ValueError unless ``kinds`` maps names of samplers to weights."""
    unknown = set(kinds) - set(SAMPLERS)
    if unknown or not kinds or min(kinds.values()) < 0 or sum(kinds.values()) <= 0:
        raise ValueError(f'{where}: kinds={kinds} must map some of {list(SAMPLERS)} to positive weights')
