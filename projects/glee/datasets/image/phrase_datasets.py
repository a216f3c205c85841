"""Images whose objects are named one by one: Visual Genome, GRIT."""
import os.path as osp
from typing import Optional, Sequence

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ...structures.row_values import BrokenRow, corners, flag, string
from ..store.rows import size_of
from ..store.streamed import StreamedRecords

PHRASE_KEYS = ('caption_with_token', 'object_name', 'caption')


def phrase_of(annotation: dict, keys: Sequence[str] = PHRASE_KEYS) -> Optional[str]:
    """The text of one object: the first of ``keys`` that is present and not blank, else None."""
    for key in keys:
        text = annotation.get(key)
        if isinstance(text, str) and text.strip():
            return text
    return None


@DATASETS.register_module()
class PhraseDataset(StreamedRecords, BaseDetDataset):
    """COCO-like files without categories; each annotation has a box and a phrase of its own.

    ``text`` of an item holds the distinct phrases of the image in the order of their objects and
    ``bbox_label`` is the index of the object's phrase, so that the descriptions travel through any
    transform. Other names for the batch come from :class:`AddNegativeNames`. There are no masks.

    Phrases are used as they are (DESIGN section 8, "Text").

    Args:
        phrase_keys (Sequence[str]): keys of an annotation, the first present one is its phrase.
    """

    def __init__(self, *args, phrase_keys: Sequence[str] = PHRASE_KEYS, **kwargs) -> None:
        self.phrase_keys = tuple(phrase_keys)
        super().__init__(*args, **kwargs)

    def settings(self) -> dict:
        """What the items depend on beside the file."""
        return dict(super().settings(), phrase_keys=self.phrase_keys)

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """One image; None when no object has a phrase and a box."""
        image = raw_data_info['raw_img_info']
        path = osp.join(self.data_prefix.get('img', ''), string(image.get('file_name'), 'file_name'))
        width, height = size_of(image, path, self._broken)
        labels, instances = {}, []
        for annotation in raw_data_info['raw_ann_info']:
            try:
                if any(flag(annotation.get(key), key) for key in ('iscrowd', 'ignore')):
                    continue
                phrase = phrase_of(annotation, self.phrase_keys)
                if phrase is None:
                    raise BrokenRow('box without a phrase')
                box = annotation.get('bbox')
                if not box:
                    raise BrokenRow('phrase without a box')
                box = corners(box, width, height)
                self._layout.see(box, width, height, annotation.where)
                instances.append(dict(ignore_flag=0, bbox=box, bbox_label=labels.setdefault(phrase, len(labels))))
            except BrokenRow as problem:
                self._broken.add(str(problem), annotation.where)
        if not instances:
            return None
        return dict(img_path=path, img_id=image['id'], seg_map_path=None, height=height, width=width,
                    text=list(labels), instances=instances)
