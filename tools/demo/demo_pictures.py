"""What the demo reads from a drawing and what it shows: pictures, tables and messages."""
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Sequence

import cv2
import numpy as np

from projects.glee.apis import ImageResult
from projects.glee.prompts.samplers import box_of
from projects.glee.structures.masks import decode
from projects.glee.visualization import DrawnObject, Renderer

HEADERS = ('object', 'score', 'x1', 'y1', 'x2', 'y2')
DRAWINGS = ('scribble', 'points', 'box')
_CELLS = 20  # a negative point is a rectangle of a twentieth of each side (``point_mask``)
_SMALLEST, _LARGEST = 800, 1280  # px, longest side of what is shown
_PAINTED = 40  # alpha of 255; brushes are half transparent


@dataclass(frozen=True)
class Answer:
    """What a handler returns.

    Attributes:
        message: what was done, or what is missing.
        picture: uint8 RGB (h, w, 3) to show, of the size of a ``View``; None without one.
        table: rows of ``HEADERS``.
    """
    message: str
    picture: Optional[np.ndarray] = None
    table: list[list] = field(default_factory=list)


# ---- what the user sees, and where ----
class View(NamedTuple):
    """How a picture is shown: shrunk if it is large, enlarged by a whole factor if it is small.

    Attributes:
        shape: (H, W) px of the picture.
        shrunk: (h, w) px before it is enlarged.
        factor: by which it is enlarged.
    """
    shape: tuple[int, int]
    shrunk: tuple[int, int]
    factor: int

    @classmethod
    def of(cls, shape: Sequence[int]) -> 'View':
        """Of a picture of (H, W, ...) px."""
        shape = tuple(shape[:2])
        share = min(_LARGEST / max(shape), 1)
        shrunk = tuple(max(round(side * share), 1) for side in shape)
        return cls(shape, shrunk, max(1, -(-_SMALLEST // max(shrunk))))

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) px as it is shown."""
        return tuple(side * self.factor for side in self.shrunk)

    def show(self, picture: np.ndarray) -> np.ndarray:
        """A picture (H, W, 3) as it is shown."""
        return self._shrink(picture, cv2.INTER_AREA).repeat(self.factor, 0).repeat(self.factor, 1)

    def place(self, x: float, y: float) -> tuple[int, int]:
        """The pixel of the picture under (x, y) px of what is shown."""
        (height, width), (shown_height, shown_width) = self.shape, self.size
        return (min(max(int(x * width / shown_width), 0), width - 1),
                min(max(int(y * height / shown_height), 0), height - 1))

    def strokes(self, layer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``read_strokes`` of a drawing (h, w, 4) over what is shown, bool (H, W); the thinnest one touches a pixel.

        Raises:
            ValueError: it was drawn over something else.
        """
        if layer.shape != (*self.size, 4):
            raise ValueError('the drawing belongs to another picture: clear it')
        height, width = self.shrunk
        touched = [painted.reshape(height, self.factor, width, self.factor).any((1, 3)).astype(np.uint8)
                   for painted in read_strokes(layer)]
        return tuple(cv2.resize(mask, self.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(bool)
                     for mask in touched)

    def _shrink(self, array: np.ndarray, interpolation: int) -> np.ndarray:
        return array if self.shrunk == self.shape else cv2.resize(array, self.shrunk[::-1],
                                                                  interpolation=interpolation)

    def draw(self, picture: np.ndarray, found: ImageResult, clicks: dict[int, Sequence[tuple]],
             keys: Sequence[int], boxed: int = 0) -> np.ndarray:
        """A picture (H, W, 3) with objects, uint8 RGB (h, w, 3).

        Args:
            found: the objects.
            clicks: (x, y, sign) px of the picture, by the row of the object.
            keys: what decides the colour of each object.
            boxed: how many objects, from the first, have their box drawn.
        """
        share = np.array([self.shrunk[1] / self.shape[1], self.shrunk[0] / self.shape[0]])
        objects = []
        for row, (name, score, box, rle) in enumerate(zip(found.names, found.scores, found.boxes, found.each_rle())):
            mask = None if rle is None else self._shrink(decode(rle).astype(np.uint8), cv2.INTER_NEAREST).astype(bool)
            marks = [(*(np.array([x, y]) * share), sign) for x, y, sign in clicks.get(row, ())]
            shown_box = box * np.tile(share, 2) if row < boxed else None
            objects.append(DrawnObject(shown_box, mask, f'{name} {score:.2f}', keys[row], marks))
        return Renderer(min_side=_SMALLEST, alpha=0.45)(self._shrink(picture, cv2.INTER_AREA), objects)


def table_of(found: ImageResult) -> list[list]:
    """Rows of ``HEADERS``."""
    return [[name, round(float(score), 3), *(round(float(side), 1) for side in box)]
            for name, score, box in zip(found.names, found.scores, found.boxes)]


def counted(names: Sequence[str]) -> str:
    """'2 star, 1 ring', or 'nothing'."""
    return ', '.join(f'{count} {name}' for name, count in Counter(names).items()) or 'nothing'


# ---- what the user gives ----
def split_names(text: Optional[str]) -> tuple[str, ...]:
    """'cat, hot dog' to ('cat', 'hot dog'); no name twice."""
    return tuple(dict.fromkeys(name.strip() for name in (text or '').split(',') if name.strip()))


def read_strokes(layer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a layer (H, W, 4) RGBA is painted, bool (H, W): in any colour but red, and in red (not the object)."""
    layer = np.asarray(layer)
    painted = layer[..., 3] > _PAINTED
    red = painted & (layer[..., 0] > 150) & (layer[..., 1:3].max(-1) < 100)
    return painted & ~red, red


def prompt_of(positive: np.ndarray, negative: np.ndarray, drawing: str) -> dict:
    """Keywords of ``InteractiveSession.add`` for strokes, bool (H, W).

    Args:
        positive: on the object: a scribble, one point per blob, or what a box is put around, as ``drawing`` says.
        negative: not on the object. Only points can say so: one per blob for 'points', else one per cell of
            a twentieth of each side.
        drawing: one of ``DRAWINGS``.

    Raises:
        ValueError: unknown ``drawing``.
    """
    if drawing not in DRAWINGS:
        raise ValueError(f'drawing={drawing!r} is unknown; choose from {DRAWINGS}')
    signs = blob_points(negative) if drawing == 'points' else cell_points(negative)
    prompt: dict = dict(points=[(x, y, -1) for x, y in signs])
    if positive.any():
        if drawing == 'points':
            prompt['points'] = [(x, y, 1) for x, y in blob_points(positive)] + prompt['points']
        elif drawing == 'box':
            prompt['boxes'] = [box_of(positive)]
        else:
            prompt.update(mask=positive, mask_kind='scribble')
    return prompt


def blob_points(mask: np.ndarray) -> list[tuple[int, int]]:
    """(x, y) of the pixel nearest to the centre of each connected part of a bool mask (H, W)."""
    count, parts, _, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    points = []
    for part in range(1, count):
        pixels = np.argwhere(parts == part)[:, ::-1]
        x, y = pixels[((pixels - centres[part])**2).sum(1).argmin()]
        points.append((int(x), int(y)))
    return points


def cell_points(mask: np.ndarray) -> list[tuple[int, int]]:
    """(x, y) of a true pixel, the middle one in reading order, of each cell of a twentieth of each side of (H, W)."""
    pixels = np.argwhere(mask)
    cells = pixels // np.maximum(np.array(mask.shape) // _CELLS, 1)
    points = []
    for cell in np.unique(cells, axis=0):
        inside = pixels[(cells == cell).all(1)]
        y, x = inside[len(inside) // 2]
        points.append((int(x), int(y)))
    return points
