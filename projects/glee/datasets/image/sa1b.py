"""SA-1B: an index of boxes, and the masks in one JSON per image."""
import os.path as osp
from typing import Optional

from mmdet.registry import DATASETS

from ..store.rows import Row
from .text_datasets import TextCocoDataset


@DATASETS.register_module()
class SA1BDataset(TextCocoDataset):
    """COCO-like index of SA-1B with boxes; masks are read with the picture by ``LoadSA1BMasks``.

    Items carry ``mask_file``, the picture's name with ``.json``, and ``num_masks``, how many masks
    it must hold; each object has its place in that file as ``mask_index`` (index and file have the
    same objects in the same order, DESIGN section 8).
    """

    def __init__(self, *args, masks: str = 'ignored', **kwargs) -> None:
        super().__init__(*args, masks=masks, **kwargs)

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """One image of the index."""
        annotations = raw_data_info['raw_ann_info']
        for position, annotation in enumerate(annotations):
            annotation['mask_index'] = position
        item = super().parse_data_info(raw_data_info)
        item.update(mask_file=osp.splitext(item['img_path'])[0] + '.json',
                    num_masks=len(annotations))
        return item

    def parse_instance(self, annotation: Row, *args) -> Optional[dict]:
        """One object with the place of its mask."""
        instance = super().parse_instance(annotation, *args)
        return instance and dict(instance, mask_index=annotation['mask_index'])
