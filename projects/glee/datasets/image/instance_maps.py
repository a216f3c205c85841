"""Pascal VOC and SBD: one map of object numbers per image."""
from pathlib import Path
from typing import List, Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS, TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from PIL import Image
from scipy.io import loadmat

from ..store.pictures import read_name_list

VOC_CLASSES = ('aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable',
               'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor')


class _InstanceMapDataset(BaseDetDataset):
    """Images named in a list file, each with a map; ``LoadInstanceMap`` reads the map."""

    METAINFO = dict(classes=VOC_CLASSES)
    image_folder = map_folder = map_suffix = ''
    class_folder: Optional[str] = None

    def load_data_list(self) -> List[dict]:
        """One record per line of ``ann_file``: img_path, map_path, class_map_path, img_id and text.

        Raises:
            FileNotFoundError: a listed image has no map.
        """
        root = Path(self.data_root)
        records = []
        for number, line in enumerate(read_name_list(self.ann_file)):
            map_path = root / self.map_folder / (line + self.map_suffix)
            if not map_path.is_file():
                raise FileNotFoundError(f'{self.ann_file} lists {line!r} but there is no {map_path}')
            class_map = self.class_folder and str(root / self.class_folder / (line + self.map_suffix))
            records.append(dict(
                img_path=str(root / self.image_folder / f'{line}.jpg'), img_id=number, map_path=str(map_path),
                class_map_path=class_map, instances=[], text=self.metainfo['classes']))
        return records


@DATASETS.register_module()
class VOCInstanceDataset(_InstanceMapDataset):
    """Objects of Pascal VOC's segmentation task (``VOCdevkit/VOC2012`` as ``data_root``).

    ``SegmentationObject/*.png`` number the objects, ``SegmentationClass/*.png`` name them; 255 is void.
    """

    image_folder, map_folder, map_suffix = 'JPEGImages', 'SegmentationObject', '.png'
    class_folder = 'SegmentationClass'


@DATASETS.register_module()
class SBDInstanceDataset(_InstanceMapDataset):
    """Objects of the Semantic Boundaries Dataset (``benchmark_RELEASE/dataset`` as ``data_root``)."""

    image_folder, map_folder, map_suffix = 'img', 'inst', '.mat'


@TRANSFORMS.register_module()
class LoadInstanceMap(BaseTransform):
    """Reads the objects of a map: ``gt_masks``, ``gt_bboxes`` xyxy px, ``gt_bboxes_labels``, ``gt_ignore_flags``.

    Void pixels become one ignored object (label 0). The label of an object of a PNG map is the most
    frequent class under it, that of a .mat map is listed in it.

    Args:
        void_label (int): number of void pixels; 0 is background.

    Raises:
        ValueError: a map of another size than the image, or one that is neither PNG nor SBD's .mat.
    """

    def __init__(self, void_label: int = 255) -> None:
        self.void_label = void_label

    def transform(self, results: dict) -> dict:
        """Add the objects; none gives empty fields, and a picture without ``map_path`` (of a program) gets none."""
        if 'map_path' not in results:
            return results
        numbers, labels = self._read(results)
        if numbers.shape != tuple(results['ori_shape'][:2]):
            raise ValueError(f'{results["map_path"]} is {numbers.shape} but its image {results["ori_shape"][:2]}')
        masks = [numbers == number for number in labels]
        ignored = [False] * len(masks)
        if (numbers == self.void_label).any():
            masks.append(numbers == self.void_label)
            ignored.append(True)
        stacked = np.stack(masks) if masks else np.zeros((0, *numbers.shape), dtype=bool)
        gt_masks = BitmapMasks(stacked.astype(np.uint8), *numbers.shape)
        results.update(
            gt_masks=gt_masks, gt_bboxes=gt_masks.get_bboxes(HorizontalBoxes),
            gt_bboxes_labels=np.array([*labels.values(), *[0] * sum(ignored)], dtype=np.int64),
            gt_ignore_flags=np.array(ignored, dtype=bool))
        return results

    def _read(self, results: dict) -> tuple:
        """Map of object numbers (H, W) and {number: label}."""
        path = results['map_path']
        if path.endswith('.png'):
            numbers = np.array(Image.open(path))
            if numbers.ndim != 2:
                raise ValueError(f'{path} is no palette image: its pixels must be numbers')
            classes = np.array(Image.open(results['class_map_path']))
            found = [int(number) for number in np.unique(numbers) if number not in (0, self.void_label)]
            return numbers, {number: self._majority(classes[numbers == number]) for number in found}
        if path.endswith('.mat'):
            content = loadmat(path, squeeze_me=True)['GTinst']
            numbers = np.asarray(content['Segmentation'].item())
            categories = np.atleast_1d(content['Categories'].item())
            return numbers, {index: int(category) - 1 for index, category in enumerate(categories, 1)
                             if (numbers == index).any()}
        raise ValueError(f'{path}: maps are .png (VOC) or .mat (SBD)')

    def _majority(self, classes: np.ndarray) -> int:
        counts = np.bincount(classes[(classes != self.void_label) & (classes != 0)], minlength=2)
        return int(counts.argmax()) - 1 if counts.any() else 0
