"""Rows of an annotation file that cannot be used: found, counted and named in one summary."""
import logging
import os
from typing import Any, Dict, List, Optional

from mmengine.logging import print_log


class BrokenRows:
    """Counts the rows that were left out, by reason, and remembers the first of each.

    Attributes:
        reasons (dict): reason -> [count, where the first one is].
        notes (dict): the same of rows that were taken, though not as they are written.
    """

    def __init__(self) -> None:
        self.reasons: Dict[str, List[Any]] = {}
        self.notes: Dict[str, List[Any]] = {}

    def add(self, reason: str, where: str, count: int = 1) -> None:
        """Note ``count`` rows, or parts of them, that are left out."""
        if count:
            self.reasons.setdefault(reason, [0, where])[0] += count

    def note(self, reason: str, where: str, count: int = 1) -> None:
        """Note ``count`` rows that are understood otherwise than they are written."""
        if count:
            self.notes.setdefault(reason, [0, where])[0] += count


def summarize(reasons: Dict[str, List[Any]], ann_file: str, fate: str = 'left out') -> Optional[str]:
    """One message about all rows of a file that cannot be used, and what became of them; None if there are none."""
    if not reasons:
        return None
    total = sum(count for count, _ in reasons.values())
    return f'{ann_file}: {total} unusable rows {fate}; {_list(reasons)}'


def _list(reasons: Dict[str, List[Any]]) -> str:
    return '; '.join(f'{reason}: {count} (first: {where})' for reason, (count, where) in sorted(reasons.items()))


def report(reasons: Dict[str, List[Any]], ann_file: str, fate: str = 'left out',
           notes: Optional[Dict[str, List[Any]]] = None) -> None:
    """Log the summary as a warning, and another one about the ``notes`` of the file."""
    messages = [summarize(reasons, ann_file, fate), f'{ann_file}: {_list(notes)}' if notes else None]
    for message in filter(None, messages):
        print_log(message, logger='current', level=logging.WARNING)


class Folders:
    """Which files exist, asked by one listing per folder instead of one question per file."""

    def __init__(self) -> None:
        self._names: Dict[str, frozenset] = {}

    def has(self, path: str) -> bool:
        """Whether the file is there."""
        folder, name = os.path.split(path)
        if folder not in self._names:
            present = os.path.isdir(folder or '.')
            self._names[folder] = frozenset(os.listdir(folder or '.')) if present else frozenset()
        return name in self._names[folder]

    def state(self) -> Dict[str, int]:
        """Folder -> time of its last change (ns; 0 if missing), for :func:`unchanged`."""
        return {folder: modified(folder) for folder in self._names}


def modified(folder: str) -> int:
    """Time of the last change of a folder's entries, ns; 0 if it is missing."""
    try:
        return os.stat(folder or '.').st_mtime_ns
    except FileNotFoundError:
        return 0


def unchanged(state: Dict[str, int]) -> bool:
    """Whether no file was added to or taken from the folders since."""
    return all(modified(folder) == time for folder, time in state.items())
