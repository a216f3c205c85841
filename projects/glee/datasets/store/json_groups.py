"""Annotation files of any size, image by image, without ever holding all of their rows."""
import array
import json
import os
import re
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np

from .json_file import is_id, other_spelling

CHUNK = 1 << 24
_SPACE = re.compile(r'[\s,]*')


class _Window:
    """A piece of a file as text of one character per byte, so that positions are byte offsets.

    JSON's own characters are ASCII, hence Latin-1 finds the same rows as UTF-8 would.
    """

    def __init__(self, file) -> None:
        self.file, self.text, self.base, self.position = file, '', 0, 0
        self.decode = json.JSONDecoder().raw_decode

    def more(self) -> bool:
        """Append a chunk, twice as long as what is already pending; False at the end of the file."""
        pending = self.text[self.position:]
        chunk = self.file.read(max(CHUNK, 2 * len(pending)))
        if not chunk:
            return False
        self.base += self.position
        self.text, self.position = pending + chunk.decode('latin-1'), 0
        return True

    def peek(self) -> str:
        """Next character that is neither white space nor a comma; '' at the end."""
        while True:
            self.position = _SPACE.match(self.text, self.position).end()
            if self.position < len(self.text) or not self.more():
                return self.text[self.position:self.position + 1]

    def value(self) -> Tuple[Any, int, int]:
        """The next JSON value and its byte offsets; reads on until it is complete."""
        self.peek()
        while True:
            try:
                value, end = self.decode(self.text, self.position)
                if end < len(self.text) or not self.more():  # a number may go on in the next chunk
                    start, self.position = self.position, end
                    return value, self.base + start, self.base + end
            except json.JSONDecodeError:
                if not self.more():
                    raise


def iterate_rows(path: str, lists: Tuple[str, ...], keys: Optional[set] = None) -> Iterator[Tuple[str, Any, int, int]]:
    """Stream the rows of some top-level lists of a JSON object, and other values whole.

    Args:
        path: the file.
        lists: keys whose values are lists to be taken row by row, in any order in the file; null is an empty list.
        keys: filled with all keys of the object.

    Yields:
        (key, row, start, end): byte offsets of the row. Keys not in ``lists`` come as one row.
        Strings are decoded as Latin-1: use the offsets for text beyond ASCII.

    Raises:
        ValueError: the file is no JSON object or ends too early, or one of the lists is something else.
    """
    with open(path, 'rb') as file:
        window = _Window(file)
        try:
            if window.peek() != '{':
                raise ValueError(f'{path} must hold one JSON object with the lists {list(lists)}')
            window.position += 1
            while window.peek() not in ('}', ''):
                key = window.value()[0]
                if keys is not None:
                    keys.add(key)
                window.peek()
                window.position += 1  # the colon
                if key in lists and window.peek() == '[':
                    window.position += 1
                    while window.peek() != ']':
                        yield (key, *window.value())
                    window.position += 1
                elif key in lists:
                    if window.value()[0] is not None:
                        raise ValueError(f'`{key}` is no list')
                else:
                    yield (key, *window.value())
        except (ValueError, RecursionError) as error:
            raise ValueError(f'{path} is not valid JSON near byte {window.base}: '
                             f'{getattr(error, "msg", error)}') from error


class JsonGroups:
    """Groups of one owner row (an image, a video) and its annotation rows, in the owners' order.

    One pass notes where each row lies (about 30 bytes per row in memory); iterating then reads the
    rows of one owner at a time through a memory map.

    Args:
        path (str): annotation file.
        owners (str): key of the list of owners ('images' or 'videos').
        owner_id (str): key of an annotation that names its owner.

    Attributes:
        rest (dict): the other top-level values, e.g. ``categories``.
        duplicate_owners (list): ids of owner rows left out because their id came before.
        duplicate_rows (list): ids of annotations left out because their id came before.
        orphans (int): annotations whose owner is not in the file.
        no_rows (dict[str, int]): entries of each list that are no JSON object, or owners without an id.

    Raises:
        ValueError: no JSON object or a list is missing.
    """

    def __init__(self, path: str, owners: str = 'images', owner_id: str = 'image_id') -> None:
        self.path, self.owners = path, owners
        keys: dict = {}  # owner id -> small number, whichever list names it first
        owner_keys, self._owner_spans = array.array('i'), array.array('q')
        row_keys, row_ids, spans = array.array('i'), array.array('q'), array.array('q')
        self.rest, self.duplicate_owners, known, found = {}, [], set(), set()
        self.no_rows = {owners: 0, 'annotations': 0}
        for name, row, start, end in iterate_rows(path, (owners, 'annotations'), found):
            if name in self.no_rows and not (isinstance(row, dict) and (name != owners or is_id(row.get('id')))):
                self.no_rows[name] += 1
            elif name == 'annotations':
                owner = row.get(owner_id)
                row_keys.append(keys.setdefault(owner if is_id(owner) else None, len(keys)))
                # without an id a row duplicates none: negative numbers stand in
                row_ids.append(_as_integer(row['id']) if is_id(row.get('id')) else -1 - len(row_ids))
                spans.extend((start, end))
            elif name == owners:
                key = keys.setdefault(row['id'], len(keys))
                if key in known:
                    self.duplicate_owners.append(row['id'])
                    continue
                known.add(key)
                owner_keys.append(key)
                self._owner_spans.extend((start, end))
            else:
                self.rest[name] = json.loads(_bytes(path, start, end))
        if owners not in found:
            raise ValueError(f'{path} has no list `{owners}`; its keys are {sorted(found)}')
        position = np.full(len(keys), -1, np.int64)
        position[np.asarray(owner_keys, np.int64)] = np.arange(len(owner_keys))
        for key, number in keys.items():  # "5" belongs to 5, where there is no "5"
            other = keys.get(other_spelling(key))
            if number not in known and other in known:
                position[number] = position[other]
        self._order(position[np.asarray(row_keys, np.int64)], np.asarray(row_ids), len(owner_keys))
        self._spans = np.asarray(spans).reshape(-1, 2)

    def _order(self, row_owner: np.ndarray, row_ids: np.ndarray, num_owners: int) -> None:
        """Sort annotations by owner (position, -1 if unknown); the first of equal ids stays."""
        order = np.argsort(row_ids, kind='stable')
        again = order[1:][row_ids[order[1:]] == row_ids[order[:-1]]]
        self.duplicate_rows = row_ids[again].tolist()
        row_owner[again] = -2
        self.orphans = int((row_owner == -1).sum())
        self._rows = np.argsort(row_owner, kind='stable')
        self._ends = np.searchsorted(row_owner[self._rows], np.arange(num_owners), side='right')
        self._first = int((row_owner < 0).sum())

    def __len__(self) -> int:
        """Number of owners."""
        return len(self._owner_spans) // 2

    def __iter__(self) -> Iterator[Tuple[dict, List[dict]]]:
        """(owner row, its annotation rows), decoded as UTF-8."""
        with open(self.path, 'rb') as file:
            decode = json.JSONDecoder().decode

            # Not mapped: the pages of a mapping would count as this process's memory, all of the file in the end.
            def row(start: int, end: int) -> dict:
                try:
                    return decode(str(os.pread(file.fileno(), end - start, start), 'utf-8'))
                except UnicodeDecodeError as error:
                    raise ValueError(f'{self.path} is not UTF-8 near byte {start}: {error}') from error

            begin = self._first
            for index, end in enumerate(self._ends):
                spans = self._spans[self._rows[begin:end]].tolist()
                begin = end
                yield (row(*self._owner_spans[2 * index:2 * index + 2]),
                       [row(*span) for span in spans])


def _as_integer(identifier: Any) -> int:
    small = isinstance(identifier, int) and 0 <= identifier < 1 << 62
    return identifier if small else hash(str(identifier)) >> 1 & (1 << 62) - 1


def _bytes(path: str, start: int, end: int) -> bytes:
    with Path(path).open('rb') as file:
        file.seek(start)
        return file.read(end - start)
