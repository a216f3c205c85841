"""COCO's panoptic JSON as the metric takes it: every row checked before anything is counted."""
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from ...datasets.store.broken_rows import BrokenRows, report
from ...datasets.store.json_file import is_id, label_of, load_json, look_up, read_categories
from ...datasets.store.rows import Row, check_repeated, read_owners, read_rows
from ...structures.row_values import BrokenRow, flag, integer, number, string
from .panoptic_quality import TrueSegment


class TruePicture(NamedTuple):
    """The annotation of a picture: the name of its PNG, and its segments by id, ``area`` None where nobody says."""
    file_name: str
    segments: dict[int, TrueSegment]

    def segments_on(self, ids: np.ndarray) -> dict[int, TrueSegment]:
        """The segments with areas; those that the file does not say are counted in the map (H, W) of ids."""
        return {identifier: segment if segment.area is not None else segment._replace(
            area=int((ids == identifier).sum())) for identifier, segment in self.segments.items()}


def load_panoptic_truth(path: str) -> tuple[dict[Any, TruePicture], list[dict]]:
    """The pictures of a file by image id, and its categories, of which ``isthing`` is a bool.

    Segments that cannot be used are left out, counted and named.

    Raises:
        ValueError: it is no such file, or nobody knows which row an id means; file, row and key are named.
    """
    content, broken = load_json(path, 'annotations', 'categories'), BrokenRows()
    categories = [dict(row, isthing=_is_thing(row, f'{path}: row {position} of `categories`'))
                  for position, row in enumerate(read_categories(content['categories'], path))]
    images, known = read_owners(content, 'images', path, broken), {row['id']: row['id'] for row in categories}
    pictures, rows = {}, {}
    for row in read_rows(content, 'annotations', path, broken):
        try:
            identifier = _image_id(row, images)
            if identifier in rows:
                check_repeated(rows[identifier], row, path)
                raise BrokenRow('annotation that is there twice')
            name, segments = _file_name(row, images.get(identifier), broken), _segments(row, known, path, broken)
            rows[identifier], pictures[identifier] = row, TruePicture(name, segments)
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
    report(broken.reasons, path, notes=broken.notes)
    return pictures, categories


def _is_thing(category: dict, where: str) -> bool:
    try:
        if category.get('isthing') is None:
            raise BrokenRow('no isthing')
        return flag(category['isthing'], 'isthing')
    except BrokenRow as problem:
        raise ValueError(f'{where} (id {category["id"]}) has {problem}: it is no panoptic file') from None


def _image_id(row: Row, images: dict) -> Any:
    if images:
        return look_up(images, row.get('image_id'), 'annotation of an unknown image')['id']
    if not is_id(row.get('image_id')):
        raise BrokenRow('annotation without image_id')
    return row['image_id']


def _file_name(row: Row, image: dict | None, broken: BrokenRows) -> str:
    """Of the PNG; where the row does not say, it is called as its picture."""
    if row.get('file_name') is None and image is not None and isinstance(image.get('file_name'), str):
        broken.note("annotation without file_name: its picture's", row.where)
        return PurePosixPath(image['file_name']).stem + '.png'
    return string(row.get('file_name'), 'file_name')


def _segments(row: Row, known: dict, path: str, broken: BrokenRows) -> dict[int, TrueSegment]:
    segments: dict[int, TrueSegment] = {}
    if not isinstance(row.get('segments_info'), list):
        broken.add('annotation without segments_info', row.where)
        return segments
    for position, segment in enumerate(row['segments_info']):
        where = f'{row.where}, segment {position}'
        try:
            if not isinstance(segment, dict):
                raise BrokenRow('segment that is no object')
            identifier = integer(segment.get('id'), 'id of a segment')
            area = None if segment.get('area') is None else number(segment['area'], 'area')
            found = TrueSegment(label_of(segment, known), area, flag(segment.get('iscrowd'), 'iscrowd'))
        except BrokenRow as problem:
            broken.add(str(problem), where)
            continue
        if segments.setdefault(identifier, found) != found:
            raise ValueError(f'{path}: {where} has the id {identifier} of another segment; give each an id of its own')
    return segments
