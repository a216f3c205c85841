"""COCO-like files whose category names are the text prompt."""
from typing import List

from mmdet.datasets import CocoDataset, Objects365V2Dataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.registry import DATASETS


class TextFromCategories:
    """Mixin for COCO-like data sets: every item carries ``text``, the full tuple of names.

    Names are those of the annotation file, raw and in the file's order, unless ``metainfo`` names
    a subset of them; so one class reads any file and a config differs only in its paths. Stock
    data sets with ``return_classes=True`` give the same ``text`` when their built-in names equal
    the file's, but store it once per image (gigabytes for LVIS or Objects365) and shift labels
    silently when a name is missing from the file.

    With ``filter_cfg=dict(filter_empty_gt=True)`` images that hold nothing but crowd regions or
    invalid boxes are dropped too (DESIGN section 8, "Images, boxes, masks").

    Raises:
        ValueError: the file names no category, or ``metainfo['classes']`` has a name that the
            file lacks.
    """

    def __init__(self, *args, metainfo: dict = None, **kwargs) -> None:
        self._wanted = None if metainfo is None else metainfo.get('classes')
        super().__init__(*args, metainfo=metainfo, **kwargs)

    def COCOAPI(self, ann_file: str) -> COCO:
        """Open the annotation file and adopt its names before anything asks for them."""
        api = COCO(ann_file)
        names = [category['name'] for category in api.dataset.get('categories', [])]
        if not names:
            raise ValueError(f'{self.ann_file} has no `categories`, so no text to ask for')
        if self._wanted is not None:
            missing = sorted(set(self._wanted) - set(names))
            if missing:
                raise ValueError(
                    f'metainfo["classes"] names {missing}, which {self.ann_file} lacks; '
                    'leave metainfo out to take the names of the file')
            names = [name for name in names if name in self._wanted]
        self._adopt(tuple(names))
        return api

    def _adopt(self, names: tuple) -> None:
        if tuple(self.METAINFO.get('classes', ())) != names:
            # the built-in palette belongs to the built-in names
            self._metainfo['palette'] = 'random'
        self._metainfo['classes'] = names
        self._text = names

    def get_data_info(self, idx: int) -> dict:
        """One record with ``text``: a tuple of C names that ``bbox_label`` indexes."""
        info = super().get_data_info(idx)
        info['text'] = self._text
        return info

    def filter_data(self) -> List[dict]:
        """Stock filtering, then drop images in which only ignored regions are left."""
        kept = super().filter_data()
        if self.test_mode or not (self.filter_cfg or {}).get('filter_empty_gt', False):
            return kept
        return [info for info in kept
                if any(not instance['ignore_flag'] for instance in info['instances'])]


@DATASETS.register_module()
class TextCocoDataset(TextFromCategories, CocoDataset):
    """Any COCO instances file; see :class:`TextFromCategories`."""


@DATASETS.register_module()
class TextLVISDataset(TextCocoDataset):
    """LVIS v1: images are named by the end of ``coco_url`` (``train2017/000000391895.jpg``).

    Files that give only ``file_name`` (minival with inserted names) are read as they are.
    ``data_prefix`` is the COCO root, as for the stock ``LVISV1Dataset``.
    """

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Put the split folder into ``file_name`` and parse as COCO."""
        image = raw_data_info['raw_img_info']
        if 'coco_url' in image:
            image['file_name'] = '/'.join(image['coco_url'].rsplit('/', 2)[-2:])
        return super().parse_data_info(raw_data_info)


@DATASETS.register_module()
class TextObjects365Dataset(TextFromCategories, Objects365V2Dataset):
    """Objects365 v2, ``patchX/name.jpg`` below ``data_prefix``; see :class:`TextFromCategories`."""
