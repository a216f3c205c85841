"""What a sample asks for: names of a vocabulary, or expressions (DESIGN section 4, ``text`` and ``text_mode``)."""
import re
from typing import Sequence

TEXT_MODES = ('category', 'expression')


def as_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """``names`` as a tuple; a single string is one name, never its letters.

    In mmdet's captions a period between blanks parts the names: 'star . red ring .' are two.
    """
    if not isinstance(names, str):
        return tuple(names)
    return tuple(part.strip() for part in re.split(r'\s\.(?=\s|$)', names) if part.strip()) or (names, )


def read_names(names: str | Sequence[str], where: str) -> tuple[str, ...]:
    """``as_names`` of what a user, a file or a data set gave, checked.

    Args:
        names (str | Sequence[str]): what was given.
        where (str): whose names they are, for errors.

    Raises:
        ValueError: there is no name, one is empty, or one is no string.
    """
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in as_names(names)):
        raise ValueError(f'{where}: give a name or a list of names, not {names!r}')
    names = as_names(names)
    if not names or not all(name.strip() for name in names):
        raise ValueError(f'{where} is empty or holds an empty string: {names}')
    return names


def read_text_mode(sample) -> str:
    """'category' or 'expression'; a sample that does not say has a vocabulary.

    Args:
        sample: data sample, or dict of its meta information.

    Raises:
        ValueError: another mode.
    """
    mode = sample.get('text_mode', 'category')
    if mode not in TEXT_MODES:
        raise ValueError(f'text_mode={mode!r} of {sample.get("img_path", "a sample")} is unknown; '
                         f'choose from {TEXT_MODES}')
    return mode
