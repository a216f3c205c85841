"""Stuff of panoptic maps as objects to train on."""
import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from ...structures.sample_text import read_names


@TRANSFORMS.register_module()
class StuffAsObjects(BaseTransform):
    """Makes one more object of each stuff name in a picture: all its pixels and the box around them.

    A model of names and masks learns stuff as it learns things (Mask2Former does the same inside its head). The
    transform follows ``LoadPanopticMap`` of a ``CocoPanopticDataset(return_classes=True)``; names of stuff
    join those of things in ``text``, and the map, which no later step needs, is dropped.

    Raises:
        KeyError: the data set gives no ``stuff_text``.
    """

    def transform(self, results: dict) -> dict:
        """Adds to ``gt_bboxes``, ``gt_bboxes_labels``, ``gt_ignore_flags`` and ``gt_masks``."""
        if 'stuff_text' not in results:
            raise KeyError(f'sample {results.get("img_path")} has no stuff_text: give its CocoPanopticDataset '
                           'return_classes=True')
        things = read_names(results['text'], f'`text` of {results.get("img_path")}')
        stuff = read_names(results.pop('stuff_text'), f'`stuff_text` of {results.get("img_path")}')
        results['text'] = things + stuff
        labels_of_pixels = results.pop('gt_seg_map')
        labels = np.array([label for label in np.unique(labels_of_pixels)
                           if len(things) <= label < len(things) + len(stuff)], dtype=np.int64)
        if not len(labels):
            return results
        masks = BitmapMasks((labels_of_pixels == labels[:, None, None]).astype(np.uint8), *labels_of_pixels.shape)
        results['gt_masks'] = BitmapMasks.cat([results['gt_masks'], masks])
        results['gt_bboxes'] = HorizontalBoxes.cat([results['gt_bboxes'], masks.get_bboxes('hbox')])
        results['gt_bboxes_labels'] = np.concatenate([results['gt_bboxes_labels'], labels])
        results['gt_ignore_flags'] = np.concatenate([results['gt_ignore_flags'], np.zeros(len(labels), dtype=bool)])
        return results
