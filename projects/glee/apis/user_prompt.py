"""What a user gave for one object, round by round, in pixels of the original image."""
from dataclasses import dataclass, replace
from typing import Optional, Sequence

import numpy as np

from ..models.prompts.reference_prompt import ReferencePrompt
from ..prompts.click_simulation import Click
from ..prompts.marks import Mark, draw_rounds
from ..structures.prompted_objects import KINDS

Points = Sequence[Sequence[float]]
Prompt = dict  # keywords of ``InteractiveSession.read``
# The kind of an object that was given several: regions before marks, a box before all.
_RANK = ('point', 'scribble', 'polygon', 'mask', 'box')


@dataclass(frozen=True)
class UserPrompt:
    """Prompts of one object; geometry, no masks of the image's size.

    Attributes:
        shape: Height and width of the original image.
        rounds: Marks of each round.
        text: Expression of the object.
        reference: The object in another picture.
    """
    shape: tuple[int, int]
    rounds: tuple[tuple[Mark, ...], ...] = ()
    text: Optional[str] = None
    reference: Optional[ReferencePrompt] = None

    @property
    def marks(self) -> list[Mark]:
        """All marks, in the order they were given."""
        return [mark for marks in self.rounds for mark in marks]

    @property
    def kind(self) -> Optional[str]:
        """Kind of the positive pixels; None without any."""
        return max((mark.kind for mark in self.marks if mark.positive), key=_RANK.index, default=None)

    @property
    def clicks(self) -> tuple[Click, ...]:
        """The points, in the order they were given."""
        return tuple(Click(int(x), int(y), mark.positive)
                     for mark in self.marks if mark.kind == 'point' and mark.rle is None for x, y in mark.points)

    @property
    def names_object(self) -> bool:
        """Whether it says what the object is, not only what it is not."""
        return self.kind is not None or self.text is not None or self.reference is not None

    @property
    def positive(self) -> np.ndarray:
        """(H, W) bool over the original image, drawn when it is asked for."""
        return draw_rounds(self.rounds, self.shape)[0]

    @property
    def negative(self) -> np.ndarray:
        """(H, W) bool over the original image, drawn when it is asked for."""
        return draw_rounds(self.rounds, self.shape)[1]

    def joined(self, later: 'UserPrompt') -> 'UserPrompt':
        """Both together, see ``draw_rounds``; of texts and references the later one holds."""
        return replace(self, rounds=self.rounds + later.rounds,
                       text=self.text if later.text is None else later.text,
                       reference=self.reference if later.reference is None else later.reference)


def read_prompt(shape: Sequence[int],
                points: Points = (),
                boxes: Points = (),
                polygons: Sequence[Points] = (),
                scribbles: Sequence[Points] = (),
                mask: Optional[np.ndarray] = None,
                mask_kind: str = 'mask',
                text: Optional[str] = None,
                reference: Optional[ReferencePrompt] = None) -> UserPrompt:
    """The prompts of one object in an image of ``shape`` (H, W), checked.

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
    marks = [Mark('box', True, ((x1, y1), (x2, y2))) for x1, y1, x2, y2 in boxes]
    marks += [Mark('polygon', True, tuple((x, y) for x, y in polygon)) for polygon in polygons]
    marks += [Mark('scribble', True, tuple((x, y) for x, y in scribble)) for scribble in scribbles]
    if mask is not None:
        if mask_kind not in KINDS:
            raise ValueError(f'mask_kind {mask_kind!r} is unknown; choose from {KINDS}')
        marks.append(Mark.of_mask(mask_kind, shape, mask))
    marks += [Mark('point', not sign or sign[0] > 0, ((x, y), )) for x, y, *sign in points]
    for mark in marks:
        mark.patch(shape)  # raises what is wrong with it
    if text is not None and not (isinstance(text, str) and text.strip()):
        raise ValueError('text is empty' if isinstance(text, str) else f'text must be one expression, got {text!r}')
    if not marks and text is None and reference is None:
        raise ValueError('give at least one of points, boxes, polygons, scribbles, mask, text, audio, reference')
    return UserPrompt(tuple(shape), (tuple(marks), ), text, reference)
