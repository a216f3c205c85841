"""OmniLabel's annotation file: which descriptions are asked for in which image, and which objects they mean."""
from collections import defaultdict
from typing import Any, NamedTuple, Optional

from ...structures.row_values import ANY_SIZE, BrokenRow, corners, flag, number, string
from .broken_rows import BrokenRows, report
from .json_file import is_id, load_json, look_up, rows_of
from .rows import Row, read_owners, read_rows

DESCRIPTION = 'object_description'


class Description(NamedTuple):
    """One text of the file: ``kind`` 'object_category' (a plain name) or 'object_description'."""
    id: Any
    text: str
    kind: str


class OmniLabelFile(NamedTuple):
    """What stands in a file.

    ``images``: rows by id. ``asked``: the descriptions of each image by its id, in the order of the file: its label
    space, to which labels are indices. ``objects``: annotations of each image by its id, dicts of ``bbox`` (xywh, px),
    ``iscrowd`` and ``descriptions`` (ids).
    """
    images: dict[Any, Row]
    asked: dict[Any, list[Description]]
    objects: dict[Any, list[dict]]
    annotated: bool


def load_omnilabel(path: str, backend_args: Optional[dict] = None) -> OmniLabelFile:
    """Read a file of the benchmark, whose ``annotations`` may be missing (test sets).

    Args:
        path: the file: ``images``, ``descriptions`` (each with the ``image_ids`` in which it is asked for) and
            ``annotations`` (each with the ``description_ids`` that mean it).
        backend_args: of mmengine's file backend.

    Raises:
        ValueError: it is no such file; the file is named. Rows that cannot be used are left out and counted in one
            warning.
    """
    content, broken = load_json(path, 'images', 'descriptions', backend_args=backend_args), BrokenRows()
    images = read_owners(content, 'images', path, broken)
    descriptions = read_owners(content, 'descriptions', path, broken)
    asked, known = _asked(images, descriptions, broken), {}
    for image_id, texts in asked.items():
        known[image_id] = {description.id: description.id for description in texts}
    objects: dict[Any, list[dict]] = defaultdict(list)
    for row in read_rows(content, 'annotations', path, broken):
        try:
            image_id = look_up(images, row.get('image_id'), 'annotation of an unknown image')['id']
            objects[image_id].append(dict(
                bbox=_box(row, broken), iscrowd=flag(row.get('iscrowd'), 'iscrowd'),
                descriptions=_meant(row, descriptions, known[image_id], broken)))
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
    report(broken.reasons, path, notes=broken.notes)
    if not any(asked.values()):
        raise ValueError(f'{path} asks for no description in any image: `image_ids` of `descriptions` name none of '
                         'its images')
    return OmniLabelFile(images, asked, objects, content.get('annotations') is not None)


def _asked(images: dict, descriptions: dict, broken: BrokenRows) -> dict[Any, list[Description]]:
    """The descriptions of each image; one that names an image twice is asked for once."""
    asked: dict[Any, list[Description]] = {identifier: [] for identifier in images}
    own = {identifier: identifier for identifier in images}
    for row in descriptions.values():
        try:
            info = row.get('anno_info')
            if not isinstance(info, dict):
                raise BrokenRow('description without anno_info')
            description = Description(row['id'], _text(row), string(info.get('type'), 'type'))
            for image_id in dict.fromkeys(filter(is_id, rows_of(row.get('image_ids')))):
                try:
                    asked[look_up(own, image_id, 'description of an unknown image')].append(description)
                except BrokenRow as problem:
                    broken.add(str(problem), row.where)
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
    return asked


def _text(row: Row) -> str:
    text = string(row.get('text'), 'text')
    if not text.strip():
        raise BrokenRow('description without a text')
    return text


def _box(row: Row, broken: BrokenRows) -> list[float]:
    """xywh of an object; of no size, which nothing finds, where the row has none."""
    try:
        corners(row.get('bbox'), *ANY_SIZE, usable=False)
        return [float(number(side, 'box')) for side in row['bbox']]
    except BrokenRow as problem:
        broken.add(str(problem), row.where)
        return [0.0, 0.0, 0.0, 0.0]


def _meant(row: Row, descriptions: dict, asked: dict, broken: BrokenRows) -> list:
    """Ids of the descriptions that mean an object, each once; those not asked for in its image do not count."""
    meant = {}
    identifiers = row.get('description_ids')
    if not isinstance(identifiers, list):
        raise BrokenRow('annotation without description_ids')
    for identifier in identifiers:
        try:
            own = look_up(descriptions, identifier, 'annotation of an unknown description')['id']
            meant[look_up(asked, own, 'annotation of a description that is not asked for in its image')] = None
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
    return list(meant)
