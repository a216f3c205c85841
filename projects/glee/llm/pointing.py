"""Objects of earlier answers in a question: ``{n}`` is the n-th of a dialogue, from 1."""
import re
from typing import Iterator, Optional, Sequence, Union

from .dialogue import PointedObject
from .object_encoder import PictureObjects

_POINTER = re.compile(r'\{(\d+)\}')


def pieces_of(question: str, objects: Sequence[Optional[PointedObject]]) -> Iterator[Union[str, PointedObject]]:
    """Text and pointed objects of a question, in reading order.

    Args:
        question (str): in words.
        objects (Sequence[PointedObject | None]): of the dialogue so far; None where GLEE has no such object.

    Raises:
        ValueError: it points at an object that is not there.
    """
    for place, part in enumerate(_POINTER.split(question)):
        if place % 2:
            number = int(part)
            if not 1 <= number <= len(objects):
                raise ValueError(f'{{{number}}} in {question!r}: the dialogue has {len(objects)} objects')
            if objects[number - 1] is None:
                raise ValueError(f'{{{number}}} in {question!r}: GLEE has no object with that mask to point at')
            yield objects[number - 1]
        elif part.strip():
            yield part.strip()


def object_at(found: PictureObjects, number: int) -> PointedObject:
    """An object of a picture, to be pointed at."""
    return PointedObject(found.queries[number], found.boxes[number], found.mask_embeds[number])
