"""Pascal VOC and SBD: one map of object numbers per image."""
import logging
from pathlib import Path
from typing import List, Optional

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS, TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.logging import print_log
from PIL import Image
from scipy.io import loadmat

from ..store.broken_rows import BrokenRows, report, summarize
from ..store.pictures import read_name_list
from ..transforms.loading import ALL_UNREADABLE, SharedCount

VOC_CLASSES = ('aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable',
               'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor')


class _InstanceMapDataset(BaseDetDataset):
    """Images named in a list file, each with a map; ``LoadInstanceMap`` reads the map.

    Names in the list without a map are left out and named.
    """

    METAINFO = dict(classes=VOC_CLASSES)
    image_folder = map_folder = map_suffix = ''
    class_folder: Optional[str] = None

    def load_data_list(self) -> List[dict]:
        """One record per line of ``ann_file``: img_path, map_path, class_map_path, img_id and text.

        Raises:
            FileNotFoundError: not one listed image has a map.
        """
        root, records, broken = Path(self.data_root), [], BrokenRows()
        for number, line in enumerate(read_name_list(self.ann_file)):
            map_path = root / self.map_folder / (line + self.map_suffix)
            if not map_path.is_file():
                broken.add('listed image without a map', str(map_path))
                continue
            class_map = self.class_folder and str(root / self.class_folder / (line + self.map_suffix))
            records.append(dict(
                img_path=str(root / self.image_folder / f'{line}.jpg'), img_id=number, map_path=str(map_path),
                class_map_path=class_map, instances=[], text=self.metainfo['classes']))
        if not records:
            raise FileNotFoundError(summarize(broken.reasons, self.ann_file) or f'{self.ann_file} lists no image')
        report(broken.reasons, self.ann_file)
        return records

    def get_data_info(self, idx: int) -> dict:
        """A record with the ``height`` and ``width`` (px) of its map, which stand in for an unreadable picture."""
        info = super().get_data_info(idx)
        try:
            info['height'], info['width'] = read_map(info['map_path'])[0].shape
        except ValueError:
            return info  # LoadInstanceMap counts it
        return info


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


def read_map(path: str) -> tuple[np.ndarray, Optional[np.ndarray]]:
    """The map (H, W) of object numbers in a file, and the class of each object from 1 where the file lists them (SBD).

    Raises:
        ValueError: the file is damaged or something else; it is named.
    """
    if path.endswith('.png'):
        return _read_png(path), None
    if not path.endswith('.mat'):
        raise ValueError(f'{path}: maps are .png (VOC) or .mat (SBD)')
    try:
        content = loadmat(path, squeeze_me=True)['GTinst']
        numbers, categories = np.asarray(content['Segmentation'].item()), content['Categories'].item()
        categories = np.atleast_1d(categories).astype(np.int64)
    except Exception as error:  # a damaged file ends in many kinds
        raise ValueError(f'{path} is no map of SBD (GTinst with Segmentation and Categories): '
                         f'{type(error).__name__}: {error}') from error
    if numbers.ndim != 2:
        raise ValueError(f'{path}: Segmentation has the shape {numbers.shape}, not (height, width)')
    return numbers, categories


def _read_png(path: str) -> np.ndarray:
    try:
        with Image.open(path) as picture:
            numbers = np.array(picture)
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f'{path} cannot be read as a map: {type(error).__name__}: {error}') from error
    if numbers.ndim != 2:
        raise ValueError(f'{path} is no palette image: its pixels must be numbers')
    return numbers


@TRANSFORMS.register_module()
class LoadInstanceMap(BaseTransform):
    """Reads the objects of a map: ``gt_masks``, ``gt_bboxes`` xyxy px, ``gt_bboxes_labels``, ``gt_ignore_flags``.

    Void pixels of a PNG map become one ignored object (label 0); a .mat map has none, its numbers may pass 255. The
    label of an object of a PNG map is the most frequent class under it, that of a .mat map is listed in it. Of a
    damaged map, or one of another size than the image, no object is scored, which is logged with the running count.

    Args:
        void_label (int): number of void pixels of a PNG map; 0 is background.

    Raises:
        ValueError: not one of the first ten maps can be used.
    """

    def __init__(self, void_label: int = 255) -> None:
        self.void_label = void_label
        self.skipped, self.read = SharedCount(), SharedCount()

    def transform(self, results: dict) -> dict:
        """Add the objects; none gives empty fields, and a picture without ``map_path`` (of a program) gets none."""
        if 'map_path' not in results:
            return results
        size = tuple(results['ori_shape'][:2])
        try:
            masks, labels, void = self._read(results['map_path'], results['class_map_path'], size)
            self.read.increment()
        except ValueError as error:
            count = self.skipped.increment()
            if not self.read.value and count >= ALL_UNREADABLE:
                raise ValueError(f'{error}; none of {count} maps could be used') from error
            print_log(f'{error}; no object of its image is scored ({count} maps so far)', logger='current',
                      level=logging.WARNING)
            masks, labels, void = [], [], []
        stacked = np.stack(masks + void) if masks + void else np.zeros((0, *size), dtype=bool)
        gt_masks = BitmapMasks(stacked.astype(np.uint8), *size)
        results.update(
            gt_masks=gt_masks, gt_bboxes=gt_masks.get_bboxes(HorizontalBoxes),
            gt_bboxes_labels=np.array([*labels, *[0] * len(void)], dtype=np.int64),
            gt_ignore_flags=np.array([False] * len(masks) + [True] * len(void), dtype=bool))
        return results

    def _read(self, path: str, class_map_path: Optional[str], size: tuple) -> tuple[list, list, list]:
        """Masks and labels of the objects, and the mask of the void pixels if there are any."""
        numbers, categories = read_map(path)
        if numbers.shape != size:
            raise ValueError(f'{path} is {numbers.shape} but its image {size}')
        if categories is not None:
            found = [number for number in range(1, len(categories) + 1) if (numbers == number).any()]
            return [numbers == number for number in found], [int(categories[n - 1]) - 1 for n in found], []
        classes = _read_png(class_map_path)
        if classes.shape != size:
            raise ValueError(f'{class_map_path} is {classes.shape} but its image {size}')
        masks = [numbers == number for number in np.unique(numbers) if number not in (0, self.void_label)]
        void = numbers == self.void_label
        return masks, [self._majority(classes[mask]) for mask in masks], [void] if void.any() else []

    def _majority(self, classes: np.ndarray) -> int:
        counts = np.bincount(classes[(classes != self.void_label) & (classes != 0)], minlength=2)
        return int(counts.argmax()) - 1 if counts.any() else 0
