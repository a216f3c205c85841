"""The list of distinct phrases of Visual Genome, from which negative names are drawn."""
import collections
import os
from pathlib import Path
from typing import Callable, Iterable, Optional, Sequence

from ..store.json_groups import JsonGroups
from .phrase_datasets import PHRASE_KEYS, phrase_of


def count_phrases(paths: Sequence[str], keys: Sequence[str] = PHRASE_KEYS,
                  progress: Optional[Callable[[Iterable, int], Iterable]] = None
                  ) -> collections.Counter:
    """How often each phrase occurs in annotation files read by :class:`PhraseDataset`.

    Args:
        paths: annotation files.
        keys: keys of an annotation, the first present one is its phrase.
        progress: wraps an iterable, given its length.
    """
    counts = collections.Counter()
    for path in paths:
        groups = JsonGroups(str(path))
        for _, annotations in progress(groups, len(groups)) if progress else groups:
            counts.update(phrase for phrase in (phrase_of(row, keys) for row in annotations)
                          if phrase is not None and '\n' not in phrase)
    return counts


def write_names(counts: collections.Counter, out: str, min_count: int = 1) -> int:
    """Write the phrases that occur at least ``min_count`` times, frequent ones first, one per line.

    Returns:
        int: how many.

    Raises:
        ValueError: none is left.
    """
    names = sorted((name for name, count in counts.items() if count >= min_count),
                   key=lambda name: (-counts[name], name))
    if not names:
        raise ValueError(f'no phrase occurs {min_count} times, so {out} is not written')
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + '.part')
    part.write_text('\n'.join(names) + '\n', encoding='utf-8')
    os.replace(part, path)
    return len(names)
