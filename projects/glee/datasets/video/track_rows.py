"""One track of the YouTube-VIS format, frame by frame: the same for clips, single frames and converters."""
from typing import Any, Callable, Container, NamedTuple

import numpy as np

from ...structures.masks import area, bounding_box, read_mask
from ...structures.row_values import BrokenRow, corners, integer, number


class Sight(NamedTuple):
    """A track in one frame: ``xywh``, its box in px; ``mask``, polygons, an RLE, or None in files without masks."""
    xywh: list[float]
    mask: Any

    @property
    def xyxy(self) -> list[float]:
        """Its box, px."""
        x, y, width, height = self.xywh
        return [x, y, x + width, y + height]


def read_track(track: dict, size: tuple[int, int], length: int, add: Callable[[str, int], None],
               with_masks: bool = True, usable: bool = True) -> list[Sight | None]:
    """What a track shows in each frame of its video, None where the object is not to be seen.

    ``bboxes`` (xywh) and ``segmentations`` are lists over the frames with null where the object is absent; either may
    be missing. A mask without a box gets the box around it; a box without its mask is no annotation of a track that
    has masks.

    Args:
        track: row of the file.
        size: (width, height) of the video, px.
        length: frames of the video.
        add: called with a reason and a frame for what is left out because it cannot be used.
        with_masks: read masks; without them boxes count alone.
        usable: boxes must have an area and lie in the image, see ``corners``.

    Raises:
        BrokenRow: the lists are no lists or not as long as the video.
    """
    boxes, masks = (_per_frame(track.get(key), length) for key in ('bboxes', 'segmentations'))
    with_masks = with_masks and bool(track.get('segmentations'))
    if not with_masks:
        masks = [None] * length
    sights: list[Sight | None] = [None] * length
    for frame, (box, mask) in enumerate(zip(boxes, masks)):
        if not box and not mask:
            continue
        try:
            sights[frame] = _read_sight(box, mask, size, with_masks, usable)
        except BrokenRow as problem:
            add(str(problem), frame)
    return sights


def annotated_frames(video: dict, length: int) -> Container[int]:
    """Positions of the frames of a video that are annotated: those in its ``annotated_frames``, all without it.

    Raises:
        BrokenRow: they are no list of positions.
    """
    positions = video.get('annotated_frames')
    if positions is None:
        return range(length)
    if not isinstance(positions, list):
        raise BrokenRow('annotated_frames that are no list')
    return {integer(position, 'annotated_frames') for position in positions}


def _per_frame(values: Any, length: int) -> list:
    if values is None or values == []:
        return [None] * length
    if not isinstance(values, list):
        raise BrokenRow('track without a list over the frames')
    if len(values) != length:
        raise BrokenRow(f'track {"longer" if len(values) > length else "shorter"} than its video')
    return values


def _read_sight(box: Any, mask: Any, size: tuple[int, int], with_masks: bool, usable: bool) -> Sight:
    width, height = size
    if not mask:
        if with_masks:
            raise BrokenRow('box without mask')
        mask = None
    else:
        mask = read_mask(mask, height, width)
        if isinstance(mask, dict) and not area(mask):
            raise BrokenRow('empty RLE')
        box = box or _box_around(mask)
    corners(box, width, height, usable)
    return Sight([number(side, 'box') for side in box], mask)


def _box_around(mask: Any) -> list[float]:
    """xywh of polygons or an RLE."""
    if isinstance(mask, dict):
        return bounding_box(mask)
    points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in mask]).astype(float)
    low, high = points.min(0), points.max(0)
    return [*low.tolist(), *(high - low).tolist()]
