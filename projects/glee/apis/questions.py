"""What is asked of pictures and videos: one question per picture, prompts by frame."""
from typing import Iterator, NamedTuple, Optional, Sequence, Union

from ..structures.sample_text import read_names

Names = Union[str, Sequence[str], Sequence[Sequence[str]]]


class Question(NamedTuple):
    """What is asked of one picture."""
    names: tuple[str, ...]
    expressions: tuple[str, ...]
    stuff: tuple[str, ...]
    prompts: Sequence[dict]


def read_questions(names: Optional[Names], expressions: Optional[Names], stuff: Optional[Names],
                   prompts: Optional[Sequence], reference) -> Iterator[Question]:
    """One question per picture, without end; arguments as of a call of ``GLEEInferencer``.

    Raises:
        ValueError: nothing is asked, what is asked contradicts itself, or a list per picture ends before they do.
    """
    given = [value is not None for value in (names, expressions, stuff, prompts, reference)]
    if not any(given):
        raise ValueError('say what to look for: names=, expressions=, prompts=, reference= or stuff=')
    if given[4] and any(given[:4]):
        raise ValueError('reference= is asked alone')
    if given[2] and not given[0]:
        raise ValueError('stuff= needs names=, the things beside it')
    each = [_per_picture(value, what, lambda text, what=what: read_names(text, what)) for value, what in (
        (names, 'names'), (expressions, 'expressions'), (stuff, 'stuff'))]
    return map(Question, *each, _per_picture(prompts, 'prompts', list, dict))


def prompts_by_frame(prompts: Optional[dict]) -> dict[int, list[dict]]:
    """Prompts of the frames of a video; keys may be text, as in a JSON file.

    Raises:
        ValueError: it is no such dict.
    """
    if not isinstance(prompts or {}, dict) or not all(str(frame).isdigit() for frame in prompts or {}):
        raise ValueError('prompts of a video go by the number of their frame: prompts={12: [dict(points=[(60, 40)])]}')
    return {int(frame): [given] if isinstance(given, dict) else list(given) for frame, given in (prompts or {}).items()}


def _per_picture(value, what: str, read, item: type = str) -> Iterator:
    """``value`` for every picture, or its entries one after the other where it holds one list per picture."""
    if value is None:
        while True:
            yield ()
    if isinstance(value, str) or all(isinstance(entry, item) for entry in value):
        value = read(value)
        while True:
            yield value
    values = [read(entry) for entry in value]
    yield from values
    raise ValueError(f'{what}= has {len(values)} lists, fewer than there are pictures')
