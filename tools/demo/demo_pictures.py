"""What the demo reads from a drawing and what it shows: pictures, tables and messages."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Sequence

import cv2
import numpy as np

from projects.glee.prompts.samplers import box_of
from projects.glee.structures.palette import PALETTE
from projects.glee.visualization import DrawnObject, Renderer

HEADERS = ('object', 'score', 'x1', 'y1', 'x2', 'y2')
VIDEO_HEADERS = ('frame', *HEADERS)
DRAWINGS = ('scribble', 'points', 'box')
_CELLS = 20  # a negative point is a rectangle of a twentieth of each side (``point_mask``)


@dataclass(frozen=True)
class Answer:
    """What a handler returns.

    Attributes:
        message: what was done, or what is missing.
        pictures: uint8 RGB (H, W, 3); one of an image, one per frame of a video, none without either.
        table: rows of ``HEADERS``, of a video ``VIDEO_HEADERS``.
    """
    message: str
    pictures: list[np.ndarray] = field(default_factory=list)
    table: list[list] = field(default_factory=list)

    @property
    def picture(self) -> Optional[np.ndarray]:
        """The first picture; None without one."""
        return self.pictures[0] if self.pictures else None


# ---- what the user gives ----
def read_image(image: Optional[np.ndarray]) -> Optional[np.ndarray]:
    """uint8 RGB (H, W, 3) of (H, W), (H, W, 3) or (H, W, 4); None for None or an empty array."""
    if image is None or not np.size(image):
        return None
    image = np.asarray(image, dtype=np.uint8)
    return np.ascontiguousarray(np.stack([image] * 3, -1) if image.ndim == 2 else image[..., :3])


def read_strokes(layer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a layer (H, W, 4) RGBA is painted, bool (H, W): in any colour but red, and in red (not the object)."""
    layer = np.asarray(layer)
    painted = layer[..., 3] > 127
    red = painted & (layer[..., 0] > 200) & (layer[..., 1:3].max(-1) < 100)
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


def split_names(text: Optional[str]) -> tuple[str, ...]:
    """'cat, hot dog' to ('cat', 'hot dog'); no name twice."""
    return tuple(dict.fromkeys(name.strip() for name in (text or '').split(',') if name.strip()))


# ---- what the user sees ----
def colour_of(number: int) -> tuple[int, ...]:
    """RGB of the object with a number from 1, as in the PNG files of VOC and DAVIS."""
    index = (number - 1) % 255 + 1  # 0 is black
    return tuple(PALETTE[3 * index:3 * index + 3])


def draw(image: np.ndarray, masks: Sequence[np.ndarray], names: Sequence[str],
         numbers: Optional[Sequence[int]] = None) -> np.ndarray:
    """A copy of uint8 RGB (H, W, 3) with coloured masks, their outlines and names.

    Args:
        image: it is not changed.
        masks: bool (H, W); an empty one is not drawn.
        names: one per mask.
        numbers: from 1, for the colours; by default the position.
    """
    numbers = range(1, len(masks) + 1) if numbers is None else numbers
    return Renderer(min_side=0, alpha=0.5, with_boxes=False)(image, [
        DrawnObject(mask=mask, label=name, colour=colour_of(number))
        for mask, name, number in zip(masks, names, numbers)])


def row_of(name: str, score: Optional[float], mask: np.ndarray, box: Optional[Sequence[float]] = None) -> list:
    """A row of ``HEADERS``; by default the box around the mask, no numbers for an empty one."""
    if box is None:
        box = box_of(mask) if mask.any() else ('', ) * 4
    return [name, '' if score is None else round(float(score), 3),
            *(side if side == '' else round(float(side), 1) for side in box)]


def write_video(pictures: Sequence[np.ndarray], path: Path, fps: float = 10.) -> Path:
    """Pictures, uint8 RGB (H, W, 3), at the size of the first one as a .webm file (VP8, which every browser plays).

    Raises:
        OSError: this OpenCV cannot write such a file.
    """
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'VP80'), fps, (width, height))
    if not writer.isOpened():
        raise OSError(f'{path} cannot be written: this OpenCV has no VP8')
    for picture in pictures:
        if picture.shape[:2] != (height, width):
            picture = cv2.resize(picture, (width, height))
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()
    return path
