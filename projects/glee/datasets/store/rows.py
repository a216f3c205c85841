"""The rows of a file's lists: each knows its place, and its id means one thing."""
from typing import Any, Iterable

from PIL import Image

from ...structures.row_values import BrokenRow, image_size
from .broken_rows import BrokenRows
from .json_file import is_id, look_up
from .pictures import picture_size


class Row(dict):
    """A row of a list of a file.

    Args:
        content: the row.
        key: of the list, 'images', 'annotations', ...
        number: its position in the list, from 0.
    """

    __slots__ = ('key', 'number')

    def __init__(self, content: dict, key: str, number: int) -> None:
        super().__init__(content)
        self.key, self.number = key, number

    def changed(self, **values) -> 'Row':
        """The row at the same place with other values."""
        return Row({**self, **values}, self.key, self.number)

    @property
    def where(self) -> str:
        """Its place, for messages: "row 3 of `annotations`, id 7"."""
        identifier = self.get('id')
        return place(self.key, self.number) + (f', id {str(identifier)[:40]}' if is_id(identifier) else '')


def place(key: str, number: int) -> str:
    """Where a row is, for messages."""
    return f'row {number} of `{key}`'


def noun_of(key: str) -> str:
    """What a row of a list is: 'image' for 'images'."""
    return 'category' if key == 'categories' else key.removesuffix('s')


def read_rows(content: dict, key: str, path: str, broken: BrokenRows) -> list[Row]:
    """The rows of a list of a file; null or a missing list has none.

    Args:
        content: of the file.
        key: of the list.
        path: of the file, for the error.
        broken: gets the entries that are no rows.

    Raises:
        ValueError: it is no list; file and key are named.
    """
    values, rows = content.get(key), []
    if values is None:
        return []
    if not isinstance(values, list):
        raise ValueError(f'{path}: `{key}` is no list but {type(values).__name__}')
    for number, row in enumerate(values):
        if isinstance(row, dict):
            rows.append(Row(row, key, number))
        else:
            broken.add(f'entry of `{key}` that is no row', place(key, number))
    return rows


def read_owners(content: dict, key: str, path: str, broken: BrokenRows) -> dict[Any, Row]:
    """The rows that others refer to by their ids: images, videos, annotations of expressions.

    Args:
        content, key, path: as of ``read_rows``.
        broken: gets the rows without an id, and those that are there twice.

    Raises:
        ValueError: it is no list, or different rows have one id, so that nobody knows which is meant.
    """
    rows: dict[Any, Row] = {}
    for row in read_rows(content, key, path, broken):
        if not is_id(row.get('id')):
            broken.add(f'{noun_of(key)} without an id', row.where)
        elif rows.setdefault(row['id'], row) is not row:
            check_repeated(rows[row['id']], row, path)
            broken.add(f'{noun_of(key)} that is there twice', row.where)
    return rows


def check_repeated(first: Row, again: Row, path: str) -> None:
    """Two rows of one id are one that is there twice.

    Raises:
        ValueError: they are different.
    """
    if first != again:
        raise ValueError(f'{path}: {first.where} and {again.where} are different; give every {noun_of(again.key)} an '
                         'id of its own')


def group_rows(rows: Iterable[Row], owners: dict, key: str, broken: BrokenRows) -> dict[Any, list[Row]]:
    """The rows that belong to each owner, by its id, in the order of the file.

    Args:
        rows: of the file.
        owners: by id.
        key: of a row that names its owner: 'image_id', 'video_id'.
        broken: gets the rows whose owner there is not.
    """
    groups: dict[Any, list[Row]] = {identifier: [] for identifier in owners}
    for row in rows:
        try:
            look_up(groups, row.get(key), f'{noun_of(row.key)} of an unknown {key.removesuffix("_id")}').append(row)
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
    return groups


def own_ids(rows: list[Row], broken: BrokenRows) -> list[int]:
    """A whole number of 64 bits for each row, which no other has: its id, where those of the file are such.

    Args:
        rows: of the file.
        broken: is told of the rows whose ids are no such numbers; then all are numbered from 1.
    """
    note_ids(rows, broken)
    ids = [row.get('id') for row in rows]
    others = [row for row in rows if is_id(row.get('id')) and not is_number_of_array(row['id'])]
    if others:
        broken.note(f'{noun_of(others[0].key)} whose id is no whole number from 1 to 2^62: numbered anew',
                    others[0].where, len(others))
    if all(map(is_number_of_array, ids)) and len(set(ids)) == len(ids):
        return ids
    return [row.number + 1 for row in rows]


def is_number_of_array(identifier: Any) -> bool:
    """Whether an id can stand in an array of whole numbers, where 0 often means none."""
    return type(identifier) is int and 0 < identifier < 1 << 62


def note_ids(rows: Iterable[Row], broken: BrokenRows) -> None:
    """Say how many rows have no id, or one that was there before; it means nothing, so that no row is lost."""
    seen = set()
    for row in rows:
        identifier = row.get('id')
        if not is_id(identifier):
            broken.note(f'{noun_of(row.key)} without an id: numbered', row.where)
        elif identifier in seen:
            broken.note(f'{noun_of(row.key)} whose id was there before: numbered anew', row.where)
        seen.add(identifier if is_id(identifier) else None)


def size_of(row: Row, picture: str, broken: BrokenRows) -> tuple[int, int]:
    """(width, height) of an image or a video, px: of its row, or where that has none, of its picture.

    Args:
        row: of the image or video.
        picture: its file, or that of the first frame.
        broken: is told of rows without a size.

    Raises:
        BrokenRow: there is none, or one that no image has.
    """
    if row.get('width') and row.get('height'):
        return image_size(row)
    try:
        height, width = picture_size(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return image_size(row)
    broken.note(f'{noun_of(row.key)} without width and height: those of its file', row.where)
    row.update(width=width, height=height)  # asked once
    return width, height


def read_id_list(row: dict, key: str, known: dict) -> list:
    """The ids in a list of a row, as the file's own rows spell them; null or a missing list has none.

    Args:
        row: with the list.
        key: of the list: 'neg_category_ids', ...
        known: by id, what they refer to. Others mean nothing in this file, and are passed over.

    Raises:
        BrokenRow: it is no list of ids.
    """
    values = row.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or not all(map(is_id, values)):
        raise BrokenRow(f'{key} that is no list of ids')
    spelled = {identifier: identifier for identifier in known}
    found = []
    for value in values:
        try:
            found.append(look_up(spelled, value, ''))
        except BrokenRow:
            continue
    return found
