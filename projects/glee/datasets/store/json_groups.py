"""Annotation files of any size, image by image, without ever holding all of their rows."""
import array
import json
import os
import re
from functools import partial
from typing import Any, Callable, Iterator, List, Optional, Tuple

import numpy as np

from .broken_rows import BrokenRows
from .json_file import is_id, length_of_mark, other_spelling
from .rows import Row, check_repeated, is_number_of_array, noun_of, place

CHUNK = 1 << 24
_SPACE = re.compile(r'[\s,]*')


class _OtherFile(ValueError):
    """JSON, but not what it should be; the message names the file."""


class _Window:
    """A piece of a file as text of one character per byte, so that positions are byte offsets.

    JSON's own characters are ASCII, hence Latin-1 finds the same rows as UTF-8 would.
    """

    def __init__(self, file, path: str) -> None:
        file.seek(length_of_mark(file.read(4), path))
        self.file, self.text, self.base, self.position = file, '', file.tell(), 0
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
        window = _Window(file, path)
        try:
            if window.peek() != '{':
                raise _OtherFile(f'{path} must hold one JSON object with the lists {list(lists)}')
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
                    value = window.value()[0]
                    if value is not None:
                        raise _OtherFile(f'{path}: `{key}` is no list but {type(value).__name__}')
                else:
                    yield (key, *window.value())
        except _OtherFile:
            raise
        except (ValueError, RecursionError) as error:
            raise ValueError(f'{path} is not valid JSON near byte {window.base}: '
                             f'{getattr(error, "msg", error)}') from error


def iterate_list(path: str) -> Iterator[Any]:
    """Stream the rows of a JSON file that is one list.

    Raises:
        ValueError: the file is no JSON list or ends too early; it is named.
    """
    with open(path, 'rb') as file:
        window = _Window(file, path)
        try:
            if window.peek() != '[':
                raise _OtherFile(f'{path} must hold one JSON list')
            window.position += 1
            while window.peek() != ']':
                value, start, end = window.value()
                text = window.text[start - window.base:end - window.base]
                yield value if text.isascii() else json.loads(text.encode('latin-1'))
        except _OtherFile:
            raise
        except (ValueError, RecursionError) as error:
            raise ValueError(f'{path} is not valid JSON near byte {window.base + window.position}: '
                             f'{getattr(error, "msg", error)}') from error


class JsonGroups:
    """Groups of one owner row (an image, a video) and its annotation rows, in the owners' order.

    One pass notes where each row lies (about 40 bytes per row in memory); iterating then reads the
    rows of one owner at a time. Ids of annotations mean nothing here: rows without one, or with one that was there
    before, are rows like others.

    Args:
        path (str): annotation file.
        owners (str): key of the list of owners ('images' or 'videos').
        owner_id (str): key of an annotation that names its owner.

    Attributes:
        rest (dict): the other top-level values, e.g. ``categories``.
        broken (BrokenRows): what belongs to no group, and how many annotations have no id of their own.
        own_ids (bool): whether every annotation has an id of its own, a whole number of 62 bits.

    Raises:
        ValueError: no JSON object, a list is missing, or different owners have one id.
    """

    def __init__(self, path: str, owners: str = 'images', owner_id: str = 'image_id') -> None:
        self.path, self.owners, self.noun, self.broken = path, owners, noun_of(owners), BrokenRows()
        self._parse = json.JSONDecoder().decode
        self._keys: dict = {}  # owner id -> small number, whichever list names it first
        self._owner_keys, self._owner_spans, self._owner_numbers = (array.array(kind) for kind in 'iqq')
        self._row_keys, self._row_ids, self._spans, self._numbers = (array.array(kind) for kind in 'iqqq')
        self.rest, self.own_ids, known, found = {}, True, {}, set()
        counts = {owners: -1, 'annotations': -1}
        for name, row, start, end in iterate_rows(path, (owners, 'annotations'), found):
            if name not in counts:
                self.rest[name] = self._read(start, end)
                continue
            counts[name] += 1
            if not isinstance(row, dict):
                self.broken.add(f'entry of `{name}` that is no row', place(name, counts[name]))
            elif name == 'annotations':
                self._add_annotation(row.get(owner_id), row.get('id'), start, end, counts[name])
            else:
                self._add_owner(row, start, end, counts[name], known)
        if owners not in found:
            raise ValueError(f'{path} has no list `{owners}`; its keys are {sorted(found)}')
        self._order(known)

    def _add_annotation(self, owner: Any, identifier: Any, start: int, end: int, number: int) -> None:
        self._row_keys.append(self._keys.setdefault(owner if is_id(owner) else None, len(self._keys)))
        # rows without an id are told from each other by negative numbers
        self._row_ids.append(_as_integer(identifier) if is_id(identifier) else -1 - number)
        self.own_ids &= is_number_of_array(identifier)
        self._spans.extend((start, end))
        self._numbers.append(number)

    def _add_owner(self, row: dict, start: int, end: int, number: int, known: dict) -> None:
        """Note an owner; ``known`` has its position, by its small number."""
        if not is_id(row.get('id')):
            self.broken.add(f'{self.noun} without an id', place(self.owners, number))
            return
        key = self._keys.setdefault(row['id'], len(self._keys))
        if key in known:
            again = Row(self._read(start, end), self.owners, number)
            check_repeated(self._owner(known[key], self._read), again, self.path)
            self.broken.add(f'{self.noun} that is there twice', again.where)
            return
        known[key] = len(known)
        self._owner_keys.append(key)
        self._owner_spans.extend((start, end))
        self._owner_numbers.append(number)

    def _order(self, known: dict) -> None:
        """Sort annotations by the position of their owner, -1 if unknown."""
        position = np.full(len(self._keys), -1, np.int64)
        position[np.asarray(self._owner_keys, np.int64)] = np.arange(len(self._owner_keys))
        for key, number in self._keys.items():  # "5" belongs to 5, where there is no "5"
            other = self._keys.get(other_spelling(key))
            if number not in known and other in known:
                position[number] = position[other]
        row_owner = position[np.asarray(self._row_keys, np.int64)]
        orphans = np.flatnonzero(row_owner < 0)
        if len(orphans):
            self.broken.add(f'annotation of an unknown {self.noun}', self._place_of(orphans[0]), len(orphans))
        self._note_ids()
        self._rows = np.argsort(row_owner, kind='stable')
        self._ends = np.searchsorted(row_owner[self._rows], np.arange(len(self)), side='right')
        self._first = len(orphans)
        self._spans = np.asarray(self._spans).reshape(-1, 2)
        del self._keys, self._owner_keys, self._row_keys, self._row_ids

    def _note_ids(self) -> None:
        """Say how many annotations have no id, or one that was there before."""
        ids = np.asarray(self._row_ids)
        order = np.argsort(ids, kind='stable')
        again, missing = np.sort(order[1:][np.diff(ids[order]) == 0]), np.flatnonzero(ids < 0)
        self.own_ids &= not len(again)
        for rows, reason in ((again, 'annotation whose id was there before: numbered anew'),
                             (missing, 'annotation without an id: numbered')):
            if len(rows):
                self.broken.note(reason, self._place_of(rows[0]), len(rows))

    def _place_of(self, row: int) -> str:
        return place('annotations', self._numbers[row])

    def __len__(self) -> int:
        """Number of owners."""
        return len(self._owner_spans) // 2

    def __iter__(self) -> Iterator[Tuple[Row, List[Row]]]:
        """(owner row, its annotation rows), decoded as UTF-8."""
        with open(self.path, 'rb') as file:
            read, begin = partial(self._decode, file.fileno()), self._first
            for index, end in enumerate(self._ends):
                rows = self._rows[begin:end].tolist()
                begin = end
                yield (self._owner(index, read),
                       [Row(read(*self._spans[row].tolist()), 'annotations', self._numbers[row]) for row in rows])

    def _owner(self, index: int, read: Callable[[int, int], dict]) -> Row:
        return Row(read(*self._owner_spans[2 * index:2 * index + 2]), self.owners, self._owner_numbers[index])

    def _read(self, start: int, end: int) -> Any:
        with open(self.path, 'rb') as file:
            return self._decode(file.fileno(), start, end)

    def _decode(self, file: int, start: int, end: int) -> Any:
        # Not mapped: the pages of a mapping would count as this process's memory, all of the file in the end.
        try:
            return self._parse(str(os.pread(file, end - start, start), 'utf-8'))
        except UnicodeDecodeError as error:
            raise ValueError(f'{self.path} is not UTF-8 near byte {start}: {error}') from error


def _as_integer(identifier: Any) -> int:
    small = isinstance(identifier, int) and 0 <= identifier < 1 << 62
    return identifier if small else hash(str(identifier)) >> 1 & (1 << 62) - 1
