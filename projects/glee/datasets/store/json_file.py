"""JSON files and what they must hold."""
import codecs
import json
import math
from typing import Any

from mmengine.fileio import get

from ...structures.row_values import BrokenRow

WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # UTF-32's little-endian mark begins with UTF-16's


def load_json(path: str, *keys: str, backend_args: dict | None = None) -> Any:
    """The content of a JSON file, whatever its name ends in (mmengine's ``load`` would run the code of a .pkl).

    A byte-order mark in front of it, as some editors write, is passed over.

    Args:
        path: as of mmengine's file backends.
        keys: that it must have, as a JSON object.
        backend_args: of mmengine's file backend.

    Raises:
        ValueError: it is no JSON, or lacks a key; the file is named.
    """
    data = get(path, backend_args=backend_args)
    try:
        content = json.loads(data[length_of_mark(data, path):].decode('utf-8'))
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not UTF-8: {error}') from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not valid JSON: {error}') from error
    if keys and not isinstance(content, dict):
        raise ValueError(f'{path} must be a JSON object with {list(keys)}, not {type(content).__name__}')
    missing = [key for key in keys if key not in content]
    if missing:
        raise ValueError(f'{path} lacks {missing}; its keys are {sorted(content)}')
    return content


def length_of_mark(start: bytes, path: str) -> int:
    """Bytes of the byte-order mark with which a file of UTF-8 starts.

    Raises:
        ValueError: it is that of another encoding; the file is named.
    """
    if start.startswith(WIDE):
        raise ValueError(f'{path} is written in UTF-16 or UTF-32: save it as UTF-8')
    return len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0


def read_categories(categories: Any, path: str) -> list[dict]:
    """The categories of a file, whose names are what is asked for.

    Returns:
        list[dict]: each has a hashable ``id`` and ``name``, text; a name that is a number becomes text.

    Raises:
        ValueError: there is none, a row lacks one of the two, or an id is there twice; the file is named.
    """
    if not categories or not isinstance(categories, list):
        raise ValueError(f'{path} has no `categories`, so no text to ask for')
    read, ids = [], set()
    for position, row in enumerate(categories):
        where = f'{path}: row {position} of `categories`'
        if not isinstance(row, dict) or not is_id(row.get('id')):
            raise ValueError(f'{where} has no id')
        name = row.get('name')
        name = str(name) if isinstance(name, (int, float)) and is_id(name) else name
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f'{where} (id {row["id"]}) has no name')
        if row['id'] in ids:
            raise ValueError(f'{where}: the id {row["id"]} is there twice; give every category an id of its own')
        ids.add(row['id'])
        read.append(dict(row, name=name))
    return read


def is_id(value: Any) -> bool:
    """Whether a value can be an id: a number or text that is not blank."""
    if type(value) is int:
        return True
    if isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def rows_of(value: Any) -> list:
    """A list of a file; nothing for null or what is no list."""
    return value if isinstance(value, list) else []


def look_up(rows: dict, identifier: Any, reason: str) -> Any:
    """What a row's reference stands for: the entry with this id, "5" being 5 where there is no "5".

    Raises:
        BrokenRow: there is none; its message is the ``reason``.
    """
    for spelling in (identifier, other_spelling(identifier)):
        if is_id(spelling) and spelling in rows:
            return rows[spelling]
    raise BrokenRow(reason)


def label_of(row: dict, labels: dict) -> Any:
    """What ``labels`` has for the ``category_id`` of a row.

    Raises:
        BrokenRow: the file has no such category.
    """
    return look_up(labels, row.get('category_id'), 'unknown category')


def other_spelling(identifier: Any) -> Any:
    """5 for "5" and "5" for 5; None for what has one spelling."""
    if isinstance(identifier, str):
        return int(identifier) if identifier.isdecimal() and len(identifier) < 19 else None
    return str(identifier) if isinstance(identifier, int) else None
