"""What a user gave for one object, in pixels of the original image, round by round."""
from dataclasses import dataclass
from typing import Optional, Sequence

import numpy as np

from ..models.prompts.reference_prompt import ReferencePrompt
from ..prompts import rasters as rasters
from ..prompts.click_simulation import Click

# The kind of an object that was given several: regions before marks, a box before all.
_RANK = ('point', 'scribble', 'polygon', 'mask', 'box')


@dataclass(frozen=True)
class UserPrompt:
    """Prompts of one object.

    Attributes:
        positive, negative: (H, W) bool over the original image.
        kind: kind of the positive pixels; None without any.
        text: expression of the object.
        reference: the object in another picture.
        clicks: the points, in the order they were given.
    """
    positive: np.ndarray
    negative: np.ndarray
    kind: Optional[str] = None
    text: Optional[str] = None
    reference: Optional[ReferencePrompt] = None
    clicks: tuple[Click, ...] = ()

    @property
    def names_object(self) -> bool:
        """Whether it says what the object is, not only what it is not."""
        return self.kind is not None or self.text is not None or self.reference is not None

    def joined(self, later: 'UserPrompt') -> 'UserPrompt':
        """Both rounds together. Where they contradict each other the later one holds, also for text and reference,
        but an object never loses its last positive pixel."""
        kept = self.positive & ~later.negative
        kinds = [kind for kind in (self.kind, later.kind) if kind is not None]
        return UserPrompt(
            (kept if kept.any() else self.positive) | later.positive,
            (self.negative & ~later.positive) | later.negative,
            max(kinds, key=_RANK.index) if kinds else None,
            self.text if later.text is None else later.text,
            self.reference if later.reference is None else later.reference,
            self.clicks + later.clicks)


def read_prompt(shape: Sequence[int],
                points: Sequence[Sequence[float]] = (),
                boxes: Sequence[Sequence[float]] = (),
                polygons: Sequence[Sequence[Sequence[float]]] = (),
                scribbles: Sequence[Sequence[Sequence[float]]] = (),
                mask: Optional[np.ndarray] = None,
                mask_kind: str = 'mask',
                text: Optional[str] = None,
                reference: Optional[ReferencePrompt] = None) -> UserPrompt:
    """Rasterise the prompts of one object over an image of ``shape`` (H, W).

    Args:
        points: (x, y) or (x, y, sign); a sign of 1 is on the object, 0 or -1 is not.
        boxes: (x1, y1, x2, y2) px.
        polygons: lists of (x, y), filled.
        scribbles: lists of (x, y), drawn with the default brush.
        mask: (H, W), non-zero on the object.
        mask_kind: what the mask shows, e.g. 'scribble' for strokes drawn elsewhere.
        text: an expression.
        reference: the encoded object of another picture.

    Raises:
        ValueError: something is outside the image or empty, or nothing is given; it is named.
    """
    for name, value in (('points', points), ('boxes', boxes)):
        if len(value) and np.ndim(value[0]) != 1:
            raise ValueError(f'{name} must be a list of number lists, got {value!r}: write {name}=[(...)]')
    drawn: dict[str, list[np.ndarray]] = dict(
        box=[rasters.box_mask(shape, box) for box in boxes],
        mask=[],
        polygon=[rasters.polygon_mask(shape, polygon) for polygon in polygons],
        scribble=[rasters.scribble_mask(shape, scribble) for scribble in scribbles],
        point=[])
    if mask is not None:
        if mask_kind not in drawn:
            raise ValueError(f'mask_kind {mask_kind!r} is unknown; choose from {list(drawn)}')
        drawn[mask_kind].append(rasters.drawn_mask(shape, mask))
    negative, clicks = np.zeros(tuple(shape), dtype=bool), []
    for x, y, *sign in points:
        rectangle = rasters.point_mask(shape, x, y)
        clicks.append(Click(int(x), int(y), not sign or sign[0] > 0))
        if clicks[-1].positive:
            drawn['point'].append(rectangle)
        else:
            negative |= rectangle
    kinds = [kind for kind in _RANK if drawn[kind]]
    if text is not None and not text.strip():
        raise ValueError('text is empty')
    if not kinds and not negative.any() and text is None and reference is None:
        raise ValueError('give at least one of points, boxes, polygons, scribbles, mask, text, audio, reference')
    positive = np.logical_or.reduce([np.zeros_like(negative), *sum(drawn.values(), [])])
    return UserPrompt(positive, negative, kinds[-1] if kinds else None, text, reference, tuple(clicks))
