"""Annotation files as metrics of images take them: every row checked before the official programs see it.

A row that cannot be used as a whole is left out. Otherwise it counts as it would for the official program: an object
without a usable mask has a mask of nothing, one without a usable box a box of no size; neither can be found. All are
counted and named in one warning.
"""
from collections import Counter, defaultdict
from typing import Any, Iterable, NamedTuple, Optional, Sequence

from mmdet.datasets.api_wrappers import COCO

from ...datasets.store.box_layout import BoxLayout
from ...datasets.store.broken_rows import BrokenRows, report
from ...datasets.store.json_file import label_of, load_json, look_up, read_categories
from ...datasets.store.rows import Row, note_ids, read_owners, read_rows
from ...structures.masks import area, empty_mask, read_mask, to_rle
from ...structures.row_values import ANY_SIZE, BrokenRow, corners, flag, image_size, number
from ...utils.console import tables_only

Sizes = dict[Any, tuple[int, int]]


def load_truth(path: str, with_boxes: bool = True, with_masks: bool = True,
               backend_args: Optional[dict] = None, sizes: Optional[Sizes] = None) -> dict:
    """A COCO or LVIS file with rows that are safe to score.

    Args:
        path: the file.
        with_boxes: boxes are scored; else one that cannot be used is not named.
        with_masks: masks are scored; else they are taken away unseen.
        backend_args: of mmengine's file backend.
        sizes: (width, height), px, of pictures by image id, for images of which the file does not say. None: they will
            be known later, and the masks of such images are not named.

    Returns:
        dict: the file's content. ``annotations`` have ``id`` from 1 in the order of the file, ``bbox``, ``area`` and
        ``iscrowd``, with ``with_masks`` also ``segmentation``; other ids are those of the file. Images without a size
        have None for ``width`` and ``height``.

    Raises:
        ValueError: it is no such file, or nobody knows which row an id means; the file is named.
    """
    content, broken = load_json(path, 'images', 'categories', backend_args=backend_args), BrokenRows()
    categories = read_categories(content['categories'], path)
    images = read_owners(content, 'images', path, broken)
    sizes = {identifier: _read_size(image, sizes, broken) for identifier, image in images.items()}
    known, layout, annotations = {row['id']: row['id'] for row in categories}, BoxLayout(), []
    rows = read_rows(content, 'annotations', path, broken)
    note_ids(rows, broken)
    for row in rows:
        try:
            image_id = look_up(images, row.get('image_id'), 'annotation of an unknown image')['id']
            found = dict(row, id=len(annotations) + 1, image_id=image_id, category_id=label_of(row, known),
                         iscrowd=int(flag(row.get('iscrowd'), 'iscrowd')))
            if 'ignore' in row:
                found['ignore'] = int(flag(row['ignore'], 'ignore'))
        except BrokenRow as problem:
            broken.add(str(problem), row.where)
            continue
        _read_shape(found, sizes[image_id], with_masks, broken if with_boxes else BrokenRows(), broken, row.where)
        if with_boxes and sizes[image_id]:
            x, y, width, height = found['bbox']
            layout.see([x, y, x + width, y + height], *sizes[image_id], row.where)
        annotations.append(found)
    layout.judge(broken)
    report(broken.reasons, path, 'counted as missed or left out', broken.notes)
    return dict(content, images=list(images.values()), categories=categories, annotations=annotations)


def _read_size(image: Row, sizes: Optional[Sizes], broken: BrokenRows) -> Optional[tuple[int, int]]:
    """(width, height) of an image, which its row gets; None where nobody knows."""
    size = (sizes or {}).get(image['id'])
    try:
        size = image_size(image)
    except BrokenRow as problem:
        if size is not None:
            broken.note('image without width and height: those of the tested picture', image.where)
        elif sizes is not None:
            broken.add(str(problem), image.where)
    image.update(zip(('width', 'height'), size or (None, None)))
    return size


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
    corners(box, *(size or ANY_SIZE), usable=False)
    return [number(side, 'box') for side in box]


def _read_mask(segmentation: Any, size: Optional[tuple[int, int]]) -> Any:
    if not segmentation:
        raise BrokenRow('no mask')
    if size is None:
        return empty_mask(1, 1)  # its image has been named, or its size will be known
    return read_mask(segmentation, *size[::-1])


def ids_of_names(categories: Iterable[dict], names: Iterable[str]) -> list:
    """The id of each name, None where there is no such category; of several of one name, the first comes first."""
    by_name = defaultdict(list)
    for category in categories:
        by_name[category['name']].append(category['id'])
    ids = []
    for name in names:
        known = by_name.get(name, [None])
        ids.append(known.pop(0) if len(known) > 1 else known[0])
    return ids


class Numbered(NamedTuple):
    """A file's content in which images and categories are numbered from 1, and the numbers by the file's ids."""
    content: dict
    images: dict[Any, int]
    categories: dict[Any, int]


class TruthFile:
    """The annotation file of a metric, whose ids are the file's own to the outside and numbers inside.

    Official programs sort ids and put them into arrays, where text, mixed kinds and numbers of more than 64 bits
    are lost, and take the annotation 0 for none.

    Args:
        path, with_boxes, with_masks, backend_args: as of ``load_truth``, whose result is ``content``.
    """

    def __init__(self, path: str, with_boxes: bool = True, with_masks: bool = True,
                 backend_args: Optional[dict] = None) -> None:
        self.path, self._options = path, (with_boxes, with_masks, backend_args)
        self.content = load_truth(path, *self._options)
        self._lacking = any(image['width'] is None for image in self.content['images'])

    def learn_sizes(self, pictures: Iterable[dict]) -> bool:
        """Read the file again, if it lacks the size of any image, with those of the tested pictures.

        Args:
            pictures: ``img_id``, ``width`` and ``height``, px, of each.

        Returns:
            bool: whether it was read again.
        """
        if self._lacking:
            sizes = {picture['img_id']: (picture['width'], picture['height']) for picture in pictures}
            self.content = load_truth(self.path, *self._options, sizes=sizes)
        return self._lacking

    def become_one_category(self, name: str) -> None:
        """Make all categories one of this name, with the id 1."""
        self.content = dict(self.content, categories=[dict(id=1, name=name)],
                            annotations=[dict(row, category_id=1) for row in self.content['annotations']])

    def without_masks(self) -> bool:
        """Whether there are objects, and not one has a mask, as in files of boxes alone."""
        rows = self.content['annotations']
        return bool(rows) and not any(isinstance(row['segmentation'], list) or area(row['segmentation'])
                                      for row in rows if 'segmentation' in row)

    def image_id(self, identifier: Any) -> Any:
        """The id of a tested picture as the file spells it.

        Raises:
            ValueError: the file has no such image.
        """
        try:
            return look_up(self._ids, identifier, '')
        except BrokenRow:
            raise ValueError(f'{self.path} has no image with the id {identifier} of a tested picture; give the metric '
                             "the data set's ann_file") from None

    @property
    def _ids(self) -> dict:
        if not hasattr(self, '_own_ids'):
            self._own_ids = {image['id']: image['id'] for image in self.content['images']}
        return self._own_ids

    def category_ids(self, names: Sequence[str]) -> list:
        """The id of each name; of categories of one name the first one comes first.

        Raises:
            ValueError: the file has no such name, or has it more often, so that nobody knows which is meant.
        """
        ids = ids_of_names(self.content['categories'], names)
        missing = [name for name, identifier in zip(names, ids) if identifier is None]
        if missing:
            raise ValueError(f'{self.path} lacks the categories {missing[:5]} of the data set; give the metric the '
                             "data set's ann_file")
        counts = Counter(category['name'] for category in self.content['categories'])
        twice = [name for name, count in counts.items() if count > list(names).count(name) > 0]
        if twice:
            raise ValueError(f'{self.path} has {counts[twice[0]]} categories of the name {twice[0]!r}, the data set '
                             f'{list(names).count(twice[0])}: nobody knows which is meant')
        return ids

    def numbered(self, first: Iterable = ()) -> Numbered:
        """The content with numbers for ids.

        Images are numbered in the order of their ids, which decides between detections of equal score; categories in
        that of the file, behind those whose ids come ``first``.
        """
        ids = sorted((image['id'] for image in self.content['images']), key=lambda i: (isinstance(i, str), i))
        images = {identifier: number for number, identifier in enumerate(ids, 1)}
        order = dict.fromkeys([*first, *(category['id'] for category in self.content['categories'])])
        categories = {identifier: number for number, identifier in enumerate(order, 1)}
        content = dict(
            self.content,
            images=[dict(image, id=images[image['id']]) for image in self.content['images']],
            categories=[dict(category, id=categories[category['id']]) for category in self.content['categories']],
            annotations=[dict(row, image_id=images[row['image_id']], category_id=categories[row['category_id']])
                         for row in self.content['annotations']])
        return Numbered(content, images, categories)


def coco_of(content: dict) -> COCO:
    """The API of pycocotools, as mmdet wraps it, over the content of a file."""
    coco = COCO()
    coco.dataset = content
    with tables_only():
        coco.createIndex()
    coco.img_ann_map, coco.cat_img_map = coco.imgToAnns, coco.catToImgs
    return coco


def without_unreadable(samples) -> list[dict]:
    """Data samples (dicts); those of pictures that could not be read without their predictions."""
    return [dict(sample, pred_instances={key: values[:0] for key, values in sample['pred_instances'].items()})
            if sample.get('unreadable') else sample for sample in samples]
