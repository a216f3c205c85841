"""Referring expressions: which object does each sentence mean."""
import collections
import os.path as osp
from typing import Iterable, Iterator, List, Optional

from mmdet.datasets import BaseDetDataset, RefCocoDataset
from mmdet.registry import DATASETS

from ...structures.masks import usable_mask
from ...structures.row_values import ANY_SIZE, BrokenRow, corners, flag, image_size, string
from ...structures.sample_text import as_names
from ..store.box_layout import BoxLayout
from ..store.broken_rows import BrokenRows, report, summarize
from ..store.json_file import load_json, look_up, rows_of
from ..store.refer_pickle import load_refs
from ..store.rows import Row, read_owners, size_of
from ..store.streamed import StreamedRecords


def group_referred_objects(objects: List[dict], by: str) -> List[dict]:
    """Items for the pipeline out of referred objects.

    Args:
        objects: one dict per object with ``img_path``, ``img_id``, ``height``, ``width``,
            ``sentences`` (list[str]), ``bbox`` (xyxy, px), ``mask`` (polygons or RLE) and
            optionally ``candidates`` (list of xyxy boxes of all objects of the same name).
        by: 'object' gives one item per object (training), 'image' one per image (test: one pass
            over an image for all of its sentences).

    Returns:
        list[dict]: ``text`` has one sentence per query and ``instances`` runs parallel to it, so
        ``instances[k]`` is the object of sentence k and ``bbox_label`` is k. This is the form that
        mmdet's own ``RefCocoDataset`` produces with ``text_mode='original'``.
    """
    if by not in ('object', 'image'):
        raise ValueError(f"group_by must be 'object' or 'image', got {by!r}")
    items = collections.OrderedDict()
    for index, obj in enumerate(objects):
        key = index if by == 'object' else obj['img_path']
        item = items.setdefault(key, dict(
            img_path=obj['img_path'], img_id=obj['img_id'], height=obj['height'],
            width=obj['width'], seg_map_path=None, text=[], instances=[]))
        for sentence in obj['sentences']:
            item['instances'].append(dict(
                bbox=obj['bbox'], mask=obj['mask'], bbox_label=len(item['text']), ignore_flag=0))
            item['text'].append(sentence)
            if 'candidates' in obj:
                item.setdefault('candidates', []).append(obj['candidates'])
    return list(items.values())


def spoken(sentences) -> List[str]:
    """The sentences that are not blank.

    Raises:
        BrokenRow: there is none.
    """
    sentences = as_names(sentences) if isinstance(sentences, (list, str)) else ()
    found = [said for said in sentences if isinstance(said, str) and said.strip()]
    if not found:
        raise BrokenRow('no expression')
    return found


def referred_shape(annotation: Row, width: int, height: int, broken: BrokenRows, layout: BoxLayout,
                   test_mode: bool) -> dict:
    """``bbox`` (xyxy, px) and ``mask`` of a referred object.

    In a test, what cannot be used is counted and stays as far as it can be scored: a box without an area, which
    nothing hits, and None for a mask.

    Raises:
        BrokenRow: one of them cannot be used, in a test only a box that is no box.
    """
    shape = dict(bbox=corners(annotation.get('bbox'), width, height, usable=False), mask=None)
    layout.see(shape['bbox'], width, height, annotation.where)
    try:
        shape['mask'] = usable_mask(annotation.get('segmentation'), height, width)
        corners(annotation.get('bbox'), width, height)
    except BrokenRow as problem:
        if not test_mode:
            raise
        broken.add(str(problem), annotation.where)
    return shape


@DATASETS.register_module()
class RefCocoJsonDataset(StreamedRecords, BaseDetDataset):
    """The released GLEE's RefCOCO/+/g, and frames of Ref-YouTube-VOS in the same layout.

    The file is COCO-like and each image entry is one referred object: ``images[]`` carries
    ``expressions`` (all sentences of the object) and has exactly one annotation; the same picture
    returns in as many entries as it has referred objects.

    Entries without an expression, or with another number of usable objects than one, are left out
    and named (see :class:`StreamedRecords`). In a test an object with a broken mask stays, without
    a mask: its box still counts.

    Args:
        group_by (str, optional): 'object' or 'image'; by default 'image' when ``test_mode`` and
            'object' otherwise. Every sentence is its own query either way.
    """

    def __init__(self, *args, group_by: Optional[str] = None, **kwargs) -> None:
        self.group_by = group_by
        if group_by not in (None, 'object', 'image'):
            raise ValueError(f"group_by must be 'object' or 'image', got {group_by!r}")
        super().__init__(*args, **kwargs)

    def settings(self) -> dict:
        """What the items depend on beside the file."""
        return dict(super().settings(), group_by=self.group_by)

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """One entry as an item of :func:`group_referred_objects`."""
        image, annotations = raw_data_info['raw_img_info'], raw_data_info['raw_ann_info']
        path = osp.join(self.data_prefix.get('img', ''), string(image.get('file_name'), 'file_name'))
        width, height = size_of(image, path, self._broken)
        sentences = spoken(image.get('expressions'))
        if len(annotations) != 1:
            raise BrokenRow('expression without a box' if not annotations else
                            'expression of several objects')
        item, = group_referred_objects([dict(
            img_path=path, img_id=image['id'], height=height, width=width, sentences=sentences,
            **referred_shape(annotations[0], width, height, self._broken, self._layout, self.test_mode))], 'object')
        return item

    def _items(self, path: str, header: dict) -> Iterator[dict]:
        items = super()._items(path, header)
        by_image = self.group_by == 'image' or self.group_by is None and self.test_mode
        return _merge_by_image(items) if by_image else items


def _merge_by_image(items: Iterator[dict]) -> Iterator[dict]:
    """One item per picture out of one per referred object; all sentences, labels counted on."""
    merged = collections.OrderedDict()
    for item in items:
        first = merged.setdefault(item['img_path'], item)
        if first is not item:
            for instance in item['instances']:
                first['instances'].append(dict(instance, bbox_label=len(first['instances'])))
            first['text'].extend(item['text'])
    yield from merged.values()


@DATASETS.register_module()
class ReferDataset(RefCocoDataset):
    """REFER pickle + ``instances.json``, with what mmdet's reader leaves out.

    The stock :class:`mmdet.datasets.RefCocoDataset` gives one item per image with masks only. This
    one keeps every sentence (``text_mode`` is always 'original'), the annotated boxes, the image
    size and, because ``instances.json`` names every object of an image, the ``candidates`` of each
    sentence: the boxes of all objects of the referred object's category. The pickle is read without
    running what it asks for.

    Referred objects that cannot be used are left out and named; in a test one with a broken mask
    stays, without a mask.

    Args:
        group_by (str, optional): as in :class:`RefCocoJsonDataset`.

    Raises:
        ValueError: a file is not what it should be, or the split has no object.
    """

    def __init__(self, *args, group_by: Optional[str] = None, **kwargs) -> None:
        self.group_by = group_by
        super().__init__(*args, text_mode='original', **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read both files into items as :func:`group_referred_objects` describes."""
        every, broken_refs = load_refs(self.split_file), BrokenRows()
        refs = [(number, ref) for number, ref in enumerate(every) if ref.get('split') == self.split]
        for number, ref in enumerate(every):
            if not isinstance(ref.get('split'), str):
                broken_refs.add('ref without a split', f'ref {number}, ref_id {ref.get("ref_id")}')
        if not refs:
            raise ValueError(f'{self.split_file} has no object of the split {self.split!r}')
        content, broken, self._layout = load_json(self.ann_file, 'images', 'annotations'), BrokenRows(), BoxLayout()
        images, annotations = (read_owners(content, key, self.ann_file, broken) for key in ('images', 'annotations'))
        same_name, objects = self._boxes_by_name(annotations.values(), images, broken), []
        for number, ref in refs:
            try:
                objects.append(self._object(ref, images, annotations, same_name, broken))
            except BrokenRow as problem:
                broken_refs.add(str(problem), f'ref {number}, ref_id {ref.get("ref_id")}')
        if not objects:
            raise ValueError(f'{summarize(broken_refs.reasons, self.split_file)}; no object of {self.ann_file} can be '
                             f'used{": " * bool(broken.reasons)}{summarize(broken.reasons, self.ann_file) or ""}')
        self._layout.judge(broken)
        report(broken_refs.reasons, self.split_file)
        report(broken.reasons, self.ann_file, notes=broken.notes)
        return group_referred_objects(
            objects, self.group_by or ('image' if self.test_mode else 'object'))

    @staticmethod
    def _boxes_by_name(annotations: Iterable[Row], images: dict, broken: BrokenRows) -> dict:
        """The xyxy boxes of all objects by image and category; those that are no candidates are counted."""
        same_name = collections.defaultdict(list)
        for annotation in annotations:
            try:
                image = look_up(images, annotation.get('image_id'), 'annotation of an unknown image')
                if not flag(annotation.get('iscrowd'), 'iscrowd'):
                    known = image.get('width') and image.get('height')
                    box = corners(annotation.get('bbox'), *(image_size(image) if known else ANY_SIZE), usable=False)
                    same_name[image['id'], str(annotation.get('category_id'))].append(box)
            except BrokenRow as problem:
                broken.add(f'candidate with {problem}', annotation.where)
        return same_name

    def _object(self, ref: dict, images: dict, annotations: dict, same_name: dict, broken: BrokenRows) -> dict:
        """One referred object for :func:`group_referred_objects`.

        Raises:
            BrokenRow: it cannot be used.
        """
        annotation = look_up(annotations, ref.get('ann_id'), 'ref of an unknown annotation')
        image = look_up(images, ref.get('image_id'), 'ref of an unknown image')
        look_up({image['id']: image}, annotation.get('image_id'), 'ref of an annotation of another image')
        path = osp.join(self.data_prefix['img_path'], string(image.get('file_name'), 'file_name'))
        width, height = size_of(image, path, broken)
        sentences = spoken([said.get('raw') for said in rows_of(ref.get('sentences')) if isinstance(said, dict)])
        return dict(
            img_path=path, img_id=image['id'], height=height, width=width, sentences=sentences,
            **referred_shape(annotation, width, height, broken, self._layout, self.test_mode),
            candidates=same_name[image['id'], str(annotation.get('category_id'))])
