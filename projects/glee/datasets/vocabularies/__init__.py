"""The category names that the released checkpoints were trained and tested with, one file each.

Every ``<name>.json`` of this folder is a list of strings in label order.
"""
import functools
import json
import re
from pathlib import Path
from typing import List, Sequence, Tuple, Union

from ...structures.sample_text import read_names

__all__ = ['load_vocabulary', 'name_key', 'names_of', 'rename', 'respell', 'vocabulary_names']

FOLDER = Path(__file__).parent


def vocabulary_names() -> List[str]:
    """What :func:`load_vocabulary` knows."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


@functools.cache
def load_vocabulary(name: str) -> Tuple[str, ...]:
    """The names of one data set, raw as CLIP reads them.

    Raises:
        ValueError: there is no vocabulary of that name.
    """
    path = FOLDER / f'{name}.json'
    if not path.is_file():
        raise ValueError(f'there is no vocabulary {name!r}; choose from {vocabulary_names()}')
    return tuple(json.loads(path.read_text(encoding='utf-8')))


# LVIS v1 is misspelt in the files of one mirror, right in those of another; UVO calls "other" what fits no name of
# COCO, where the released models were trained with "object".
_SAME_NAME = {'speakersteroequipment': 'speakerstereoequipment', 'other': 'object'}


def name_key(name: str) -> str:
    """What two spellings of one name share: letters and digits; UVO's ", object" is a suffix."""
    key = re.sub(r'[\W_]+', '', name.removesuffix(', object').casefold())
    return _SAME_NAME.get(key, key)


def respell(names: Sequence[str], vocabulary: str) -> Tuple[str, ...]:
    """Spell the names of an annotation file as a vocabulary does.

    A name is replaced only by the vocabulary's spelling of the same name (equal up to case,
    punctuation and known misspellings), never by its position, so a file with other categories
    keeps its own names.

    Args:
        names: names of the file.
        vocabulary: a name for :func:`load_vocabulary`.

    Returns:
        tuple[str, ...]: as many names in the same order.
    """
    spelling = {}
    for name in load_vocabulary(vocabulary):
        spelling.setdefault(name_key(name), []).append(name)
    # two names of a vocabulary with one key (no way to tell them apart) stay as the file has them
    return tuple(name if len(spelling.get(name_key(name), ())) != 1 else spelling[name_key(name)][0]
                 for name in names)


def names_of(prompts: Union[str, Sequence[str]]) -> Tuple[str, ...]:
    """The names of a vocabulary of this folder, or those given.

    Raises:
        ValueError: there is no such vocabulary, or a name is no text or blank.
    """
    return load_vocabulary(prompts) if isinstance(prompts, str) else read_names(prompts, '`prompts`')


def rename(names: Sequence[str], prompts: Union[str, Sequence[str]]) -> Tuple[str, ...]:
    """Replace the names of a file one by one, for prompts that are not spellings of them (ODinW).

    Args:
        names: names of the file.
        prompts: as of :func:`names_of`.

    Raises:
        ValueError: there is another number of prompts.
    """
    found = names_of(prompts)
    if len(found) != len(names):
        what = f'vocabulary {prompts!r} has' if isinstance(prompts, str) else '`prompts` has'
        raise ValueError(f'{what} {len(found)} names for the '
                         f'{len(names)} categories {list(names)[:5]} ... of the file')
    return found
