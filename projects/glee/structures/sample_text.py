"""What a sample asks for: names of a vocabulary, or expressions (DESIGN section 4, ``text`` and ``text_mode``)."""
import re
from typing import Sequence

from .sample_origin import sample_origin

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
        ValueError: there is no name, one is empty, or one is no string or not one of text.
    """
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in as_names(names)):
        raise ValueError(f'{where}: give a name or a list of names, not {names!r}')
    names = as_names(names)
    if not names or not all(name.strip() for name in names):
        raise ValueError(f'{where} is empty or holds an empty string: {names}')
    broken = [name for name in names if any('\ud800' <= char <= '\udfff' for char in name)]
    if broken:  # bytes of another encoding
        raise ValueError(f'{where} holds characters that are no text: {broken[0]!r}')
    return names


def read_sample_text(text, tokens_positive, where: str) -> tuple[str, ...]:
    """The names of a sample in any form that mmdet's data sets and inferencers give them; labels index them.

    Args:
        text: names; or {label: name}, as ``ODVGDataset`` has a vocabulary; or a caption.
        tokens_positive: of a caption the letters that make its names, first and past the last, as spans by label
            ({0: [[0, 4]], 1: [[7, 11], [12, 15]]}) or in a list in the order of labels; None or -1 where the caption is
            one name, or several with periods between them (``as_names``).
        where (str): whose names they are, for errors.

    Raises:
        ValueError: there is no name, one is empty or no string, labels do not count from 0, or a span is outside.
    """
    if isinstance(text, dict):
        return read_names(_by_label(text, where), where)
    if isinstance(text, str) and _are_spans(tokens_positive):
        groups = _by_label(tokens_positive, where) if isinstance(tokens_positive, dict) else tokens_positive
        groups = [group if isinstance(group[0], (list, tuple)) else [group] for group in groups]
        if not all(0 <= first < past <= len(text) for group in groups for first, past in group):
            raise ValueError(f'{where}: tokens_positive={tokens_positive} has spans outside the caption {text!r}')
        text = [' '.join(text[first:past].strip() for first, past in group) for group in groups]
    return read_names(text, where)


def sample_names(sample) -> tuple[str, ...]:
    """``read_sample_text`` of a data sample that has ``text``."""
    return read_sample_text(sample.get('text'), sample.get('tokens_positive'), f'{sample_origin(sample)}: `text`')


def has_phrases(sample) -> bool:
    """Whether a data sample's ``text`` is a caption of which ``tokens_positive`` cuts the names."""
    return isinstance(sample.get('text'), str) and _are_spans(sample.get('tokens_positive'))


def _are_spans(tokens_positive) -> bool:
    return isinstance(tokens_positive, (dict, list, tuple)) and len(tokens_positive) > 0


def _by_label(values: dict, where: str) -> list:
    """The values of {label: value} in the order of labels, which count from 0."""
    by_label = {int(label): value for label, value in values.items()}
    if sorted(by_label) != list(range(len(by_label))):
        raise ValueError(f'{where}: labels {sorted(by_label)} of its names do not count from 0')
    return [by_label[label] for label in range(len(by_label))]


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
