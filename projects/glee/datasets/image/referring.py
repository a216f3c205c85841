"""Referring expressions: which object does each sentence mean."""
import collections
import os.path as osp
from typing import Iterator, List, Optional

from mmdet.datasets import BaseDetDataset, RefCocoDataset
from mmdet.registry import DATASETS

from ...structures.masks import usable_mask
from ...structures.row_values import BrokenRow, corners, image_size
from ...structures.sample_text import as_names
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


def xywh_to_xyxy(box: List[float]) -> List[float]:
    """COCO box to corners."""
    return [box[0], box[1], box[0] + box[2], box[1] + box[3]]


@DATASETS.register_module()
class RefCocoJsonDataset(StreamedRecords, BaseDetDataset):
    """The released GLEE's RefCOCO/+/g, and frames of Ref-YouTube-VOS in the same layout.

    The file is COCO-like and each image entry is one referred object: ``images[]`` carries
    ``expressions`` (all sentences of the object) and has exactly one annotation; the same picture
    returns in as many entries as it has referred objects.

    Entries without an expression, or with another number of usable objects than one, are left out
    in training (see :class:`StreamedRecords`).

    Args:
        group_by (str, optional): 'object' or 'image'; by default 'image' when ``test_mode`` and
            'object' otherwise. Every sentence is its own query either way.

    Raises:
        ValueError: such an entry in ``test_mode``.
    """

    strict = True

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
        width, height = image_size(image)
        sentences = [text for text in as_names(image.get('expressions') or ()) if text and text.strip()]
        if not sentences:
            raise BrokenRow('no expression')
        if len(annotations) != 1:
            raise BrokenRow('expression without a box' if not annotations else
                            'expression of several objects')
        item, = group_referred_objects([dict(
            img_path=osp.join(self.data_prefix.get('img', ''), image['file_name']),
            img_id=image['id'], height=height, width=width, sentences=sentences,
            bbox=corners(annotations[0].get('bbox'), width, height),
            mask=usable_mask(annotations[0].get('segmentation'), height, width))], 'object')
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
    sentence: the boxes of all objects of the referred object's category.

    Args:
        group_by (str, optional): as in :class:`RefCocoJsonDataset`.
    """

    def __init__(self, *args, group_by: Optional[str] = None, **kwargs) -> None:
        self.group_by = group_by
        super().__init__(*args, text_mode='original', **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read both files into items as :func:`group_referred_objects` describes."""
        super().load_data_list()  # reads the files and indexes refs and annotations
        images = {image['id']: image for image in self.instances['images']}
        same_name = collections.defaultdict(list)
        for annotation in self.instances['annotations']:
            if not annotation.get('iscrowd', 0):
                key = annotation['image_id'], annotation['category_id']
                same_name[key].append(xywh_to_xyxy(annotation['bbox']))
        objects = []
        for ref in self.splits:
            if ref['split'] != self.split:
                continue
            annotation, image = self.ref_to_ann[ref['ref_id']], images[ref['image_id']]
            objects.append(dict(
                img_path=osp.join(self.data_prefix['img_path'], image['file_name']),
                img_id=image['id'], height=image['height'], width=image['width'],
                sentences=[sentence['raw'] for sentence in ref['sentences']],
                bbox=xywh_to_xyxy(annotation['bbox']), mask=annotation['segmentation'],
                candidates=same_name[image['id'], annotation['category_id']]))
        # the raw files would otherwise travel to every loader worker
        del self.splits, self.instances, self.refs, self.ref_to_ann
        return group_referred_objects(
            objects, self.group_by or ('image' if self.test_mode else 'object'))
