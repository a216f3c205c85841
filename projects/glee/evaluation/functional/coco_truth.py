"""Annotation files as metrics of images take them: every row checked before the official programs see it.

A row that cannot be used as a whole is left out. Otherwise it counts as it would for the official program: an object
without a usable mask has a mask of nothing, one without a usable box a box of no size; neither can be found. All are
counted and named in one warning.
"""
from typing import Any, Optional

from mmdet.datasets.api_wrappers import COCO

from ...datasets.store.broken_rows import BrokenRows, report
from ...datasets.store.json_file import label_of, load_json, look_up, read_categories, rows_by_id, rows_of
from ...structures.masks import area, empty_mask, read_mask, to_rle
from ...structures.row_values import BrokenRow, corners, flag, image_size, number


def load_truth(path: str, with_boxes: bool = True, with_masks: bool = True,
               backend_args: Optional[dict] = None) -> dict:
    """A COCO or LVIS file with rows that are safe to score.

    Args:
        path: the file.
        with_boxes: boxes are scored; else one that cannot be used is not named.
        with_masks: masks are scored; else they are taken away unseen.
        backend_args: of mmengine's file backend.

    Returns:
        dict: the file's content. ``annotations`` have ``id`` from 1 in the order of the file, ``bbox``, ``area`` and
        ``iscrowd``, with ``with_masks`` also ``segmentation``.

    Raises:
        ValueError: it is no such file; it is named.
    """
    content = load_json(path, 'images', 'categories', backend_args=backend_args)
    categories = read_categories(content['categories'], path)
    images, broken = rows_by_id(content['images']), BrokenRows()
    broken.add('image without an id of its own', 'file', len(rows_of(content['images'])) - len(images))
    known, sizes = {row['id']: row['id'] for row in categories}, {}
    for identifier, image in images.items():
        try:
            sizes[identifier] = image_size(image)
            image.update(zip(('width', 'height'), sizes[identifier]))
        except BrokenRow as problem:
            image.update(width=None, height=None)
            broken.add(str(problem), f'image {identifier}')
    annotations = []
    for position, row in enumerate(rows_of(content.get('annotations'))):
        try:
            if not isinstance(row, dict):
                raise BrokenRow('entry of `annotations` that is no row')
            image_id = look_up(images, row.get('image_id'), 'annotation of an unknown image')['id']
            row = dict(row, id=len(annotations) + 1, image_id=image_id, category_id=label_of(row, known),
                       iscrowd=int(flag(row.get('iscrowd'), 'iscrowd')))
            if 'ignore' in row:
                row['ignore'] = int(flag(row['ignore'], 'ignore'))
        except BrokenRow as problem:
            broken.add(str(problem), f'row {position} of `annotations`')
            continue
        where = f'row {position} of `annotations`'
        _read_shape(row, sizes.get(image_id), with_masks, broken if with_boxes else BrokenRows(), broken, where)
        annotations.append(row)
    report(broken.reasons, path, 'counted as missed or left out')
    return dict(content, images=list(images.values()), categories=categories, annotations=annotations)


def _read_shape(row: dict, size: Optional[tuple[int, int]], with_masks: bool, broken_boxes: BrokenRows,
                broken: BrokenRows, where: str) -> None:
    """Replace ``bbox``, ``segmentation`` and ``area`` of a row by what can be scored."""
    segmentation, box = row.pop('segmentation', None), row.get('bbox')
    try:
        row['bbox'] = _read_box(box, size)
    except BrokenRow as problem:
        broken_boxes.add(str(problem), where)
        row['bbox'] = [0, 0, 0, 0]
    if with_masks:
        try:
            row['segmentation'] = _read_mask(segmentation, size)
        except BrokenRow as problem:
            broken.add(str(problem), where)
            row['segmentation'] = empty_mask(*(size or (1, 1))[::-1])
    if row.get('area') is not None:
        try:
            row['area'] = number(row['area'], 'area')
        except BrokenRow as problem:
            broken.add(str(problem), where)
            row['area'] = None
    if row.get('area') is None:
        row['area'] = area(to_rle(row['segmentation'], *size[::-1])) if with_masks and size else (
            row['bbox'][2] * row['bbox'][3])


def _read_box(box: Any, size: Optional[tuple[int, int]]) -> list[float]:
    corners(box, *(size or (1e6, 1e6)), usable=False)
    return [number(side, 'box') for side in box]


def _read_mask(segmentation: Any, size: Optional[tuple[int, int]]) -> Any:
    if not segmentation:
        raise BrokenRow('no mask')
    if size is None:
        raise BrokenRow('mask in an image without width and height')
    return read_mask(segmentation, *size[::-1])


def coco_of(content: dict) -> COCO:
    """The API of pycocotools, as mmdet wraps it, over the content of a file."""
    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    coco.img_ann_map, coco.cat_img_map = coco.imgToAnns, coco.catToImgs
    return coco


def without_unreadable(samples) -> list[dict]:
    """Data samples (dicts); those of pictures that could not be read without their predictions."""
    return [dict(sample, pred_instances={key: values[:0] for key, values in sample['pred_instances'].items()})
            if sample.get('unreadable') else sample for sample in samples]
