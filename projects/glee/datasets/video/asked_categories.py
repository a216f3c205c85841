"""Which categories of a video file are asked for, by which names, and what label each of its ids has."""
from typing import NamedTuple, Sequence

from ..store.json_file import is_id, rows_of
from ..vocabularies import load_vocabulary, name_key, respell


class AskedCategories(NamedTuple):
    """What is asked of a file.

    ``classes``, ``ids``: names and ids of the categories that are asked for, as the file has them, in label order.
    ``text``: what they are called in the question. ``labels``: label by category id; None for one that nobody asks
    for. ``merged_labels``: for each label the one that it counts as. ``rows``: of the file, in label order.
    """
    classes: tuple[str, ...]
    ids: tuple
    text: tuple[str, ...]
    labels: dict
    merged_labels: tuple[int, ...]
    rows: list[dict]


def ask_for(categories: list[dict], path: str, text: Sequence[str] | None = None, vocabulary: str | None = None,
            classes: str | Sequence[str] | None = None, merged: dict | None = None) -> AskedCategories:
    """The categories that are asked for.

    Args:
        categories: of the file, see ``read_categories``.
        path: of the file, for errors.
        text: names to use instead; a single one stands for all categories, which then are one.
        vocabulary: spell the file's names as this vocabulary does.
        classes: ask for these names alone, or for those of a vocabulary, whatever their spelling. A category that is
            merged into one of them counts as that one.
        merged: id of a category -> id of the one that it counts as.

    Raises:
        ValueError: the file lacks one of ``classes``, or ``text`` has another number of names.
    """
    merged, rows = merged or {}, _chosen(categories, path, classes)
    ids, names = tuple(row['id'] for row in rows), tuple(row['name'] for row in rows)
    positions = {identifier: label for label, identifier in enumerate(ids)}
    labels = {row['id']: positions.get(row['id'], positions.get(merged.get(row['id']))) for row in categories}
    if text is not None and len(text) == 1 and len(rows) > 1:
        one = next((row for row in rows if name_key(row['name']) == name_key(text[0])), rows[0])
        labels = {identifier: None if label is None else 0 for identifier, label in labels.items()}
        return AskedCategories(tuple(text), (one['id'], ), tuple(text), labels, (0, ), [one])
    if text is not None and len(text) != len(rows):
        raise ValueError(f'{path} has {len(rows)} categories but text= {len(text)} names: give one for each of them, '
                         'in the order of the file, or a single one for all')
    if text is None:
        text = names if vocabulary is None else respell(names, vocabulary)
    return AskedCategories(names, ids, tuple(text), labels,
                           tuple(positions.get(merged.get(i), positions[i]) for i in ids), rows)


def _chosen(categories: list[dict], path: str, classes: str | Sequence[str] | None) -> list[dict]:
    if classes is None:
        return categories
    wanted = load_vocabulary(classes) if isinstance(classes, str) else tuple(classes)
    names = {row['name'] for row in categories}
    keys = {name_key(name) for name in names}
    missing = [name for name in wanted if name_key(name) not in keys]
    if missing or not wanted:
        raise ValueError(f'{path} lacks {len(missing)} of the {len(wanted)} names in classes=, e.g. {missing[:3]}; its '
                         f'categories are {[row["name"] for row in categories[:5]]} ...')
    others = {name_key(name) for name in wanted if name not in names}
    return [row for row in categories if row['name'] in wanted or name_key(row['name']) in others]


def merged_ids(categories) -> dict:
    """Id of a category -> id of the one that it is ``merged`` into, as TAO's files say."""
    return {other['id']: row['id'] for row in rows_of(categories) if isinstance(row, dict) and is_id(row.get('id'))
            for other in rows_of(row.get('merged')) if isinstance(other, dict) and is_id(other.get('id'))}


def check_same_names(one, other, files: str) -> None:
    """Refuse two lists of categories in which an id has different names.

    Raises:
        ValueError: it has; the files and the first such id are named.
    """
    names = [{row['id']: str(row['name']) for row in rows_of(rows) if isinstance(row, dict) and is_id(row.get('id'))
              and row.get('name') is not None} for rows in (one, other)]
    for identifier in names[0].keys() & names[1].keys():
        first, second = (group[identifier] for group in names)
        if name_key(first) != name_key(second):
            raise ValueError(f'{files} do not belong together: the category {identifier} is {first!r} in one and '
                             f'{second!r} in the other')
