"""Category names that are probably one, or that are misspelt."""
import difflib
from typing import Sequence

from ..store.broken_rows import BrokenRows
from ..vocabularies import load_vocabulary, name_key, vocabulary_names

SHORTEST = 5  # letters; shorter names are alike by chance ("RBC" and "WBC")
SIMILAR = 0.85  # of difflib's ratio: one letter of seven


def check_names(names: Sequence[str], found: BrokenRows) -> None:
    """Count names that differ in spelling alone as faults, and names that are nearly alike or misspelt as advice.

    Args:
        names: of an annotation file.
        found: gets them.
    """
    keys: dict[str, str] = {}
    for name in names:
        first = keys.setdefault(name_key(name), name)
        if first is not name:
            found.add('names that differ in case, blanks or signs alone', f'{first!r} and {name!r}')
    known = _known_names()
    for position, name in enumerate(names):
        key = name_key(name)
        others = [other for other in names[:position] if name_key(other) != key]
        if near := _nearest(key, {name_key(other): other for other in others}):
            found.note('names that are nearly alike', f'{near!r} and {name!r}')
        elif key not in known and (near := _nearest(key, known)):
            found.note('name that is nearly one of a public data set', f'{name!r}, perhaps {near!r}')


def _nearest(key: str, names: dict[str, str]) -> str | None:
    """The name whose key is most alike, if it is alike."""
    if len(key) < SHORTEST:
        return None
    keys = [other for other in names if len(other) >= SHORTEST and abs(len(other) - len(key)) < 3]
    return next((names[other] for other in difflib.get_close_matches(key, keys, 1, SIMILAR)), None)


def _known_names() -> dict[str, str]:
    """Names of the public data sets, by their keys."""
    return {name_key(name): name for vocabulary in vocabulary_names() for name in load_vocabulary(vocabulary)}
