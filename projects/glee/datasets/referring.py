"""Referring expressions: which object does each sentence mean."""
import collections
import os.path as osp
from typing import List, Optional

from mmdet.datasets import BaseDetDataset, RefCocoDataset
from mmdet.registry import DATASETS
from mmengine.fileio import load


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
class RefCocoJsonDataset(BaseDetDataset):
    """The released GLEE's RefCOCO/+/g: COCO-like, each image entry is one referred object.

    ``images[]`` carries ``expressions`` (all sentences of the object) and has exactly one
    annotation; the same picture returns in as many entries as it has referred objects.

    Args:
        group_by (str, optional): 'object' or 'image'; by default 'image' when ``test_mode`` and
            'object' otherwise. Every sentence is its own query either way.

    Raises:
        ValueError: an entry without expressions or with another number of annotations than one.
    """

    def __init__(self, *args, group_by: Optional[str] = None, **kwargs) -> None:
        self.group_by = group_by
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read the file into items as :func:`group_referred_objects` describes."""
        content = load(self.ann_file, backend_args=self.backend_args)
        annotations = collections.defaultdict(list)
        for annotation in content['annotations']:
            annotations[annotation['image_id']].append(annotation)
        objects = [self._referred_object(image, annotations[image['id']])
                   for image in content['images']]
        return group_referred_objects(
            objects, self.group_by or ('image' if self.test_mode else 'object'))

    def _referred_object(self, image: dict, annotations: List[dict]) -> dict:
        if len(annotations) != 1 or not image.get('expressions'):
            raise ValueError(
                f'{self.ann_file}: image entry {image["id"]} ({image["file_name"]}) needs exactly '
                f'one annotation and at least one expression, it has {len(annotations)} and '
                f'{len(image.get("expressions") or [])}')
        return dict(
            img_path=osp.join(self.data_prefix.get('img', ''), image['file_name']),
            img_id=image['id'], height=image['height'], width=image['width'],
            sentences=list(image['expressions']), bbox=xywh_to_xyxy(annotations[0]['bbox']),
            mask=annotations[0]['segmentation'])


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
