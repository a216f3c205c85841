"""Resizing as detectron2 does it, and from polygons to bitmaps to boxes."""
from typing import Optional

import numpy as np
from mmcv.image import imresize, rescale_size
from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import RandomCrop, Resize
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import get_box_type
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from PIL import Image

from ...structures.masks import decode, polygons_to_rle
from .lazy_masks import LazyMasks


@TRANSFORMS.register_module()
class PillowResize(Resize):
    """mmdet's ``Resize`` with pillow for pictures and for bitmap masks.

    Pictures bilinear, masks nearest at pixel centres (OpenCV's nearest shifts by up to half a
    pixel); with ``keep_ratio`` the new sides are int(x · scale + 0.5) (DESIGN section 8), at least 1. For
    several scales use ``RandomChoiceResize(resize_type='PillowResize')``.
    """

    def __init__(self, *args, backend: str = 'pillow', **kwargs) -> None:
        super().__init__(*args, backend=backend, **kwargs)

    def _resize_img(self, results: dict) -> None:
        height, width = results['img'].shape[:2]
        size = rescale_size((width, height), results['scale']) if self.keep_ratio else results['scale']
        if min(size) > 0:
            super()._resize_img(results)
            return
        size = [max(side, 1) for side in size]  # of a picture that is a line
        results['img'] = imresize(results['img'], size, interpolation=self.interpolation, backend=self.backend)
        results.update(img_shape=results['img'].shape[:2], keep_ratio=self.keep_ratio,
                       scale_factor=(size[0] / width, size[1] / height))

    def _resize_masks(self, results: dict) -> None:
        masks = results.get('gt_masks')
        if isinstance(masks, LazyMasks):
            results['gt_masks'] = masks.resize(results['img_shape'])
            return
        if not isinstance(masks, BitmapMasks):
            super()._resize_masks(results)
            return
        height, width = results['img_shape']
        resized = np.zeros((len(masks), height, width), dtype=np.uint8)
        for i, mask in enumerate(masks.masks):
            resized[i] = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
        results['gt_masks'] = BitmapMasks(resized, height, width)


@TRANSFORMS.register_module()
class CropWindow(RandomCrop):
    """mmdet's ``RandomCrop`` with GLEE's window, and a note (``cropped``) that it happened.

    Args:
        crop_size (tuple[int, int]): range of the window's height and, drawn independently, width;
            an image smaller than that is kept whole along that side (DESIGN section 6).
        allow_negative_crop (bool): True lets a detection image lose all objects; with False the
            result is then None and another sample takes its place (expressions).
    """

    def __init__(self, crop_size: tuple = (384, 600), crop_type: str = 'absolute_range',
                 allow_negative_crop: bool = True, **kwargs) -> None:
        super().__init__(crop_size, crop_type, allow_negative_crop=allow_negative_crop, **kwargs)

    def transform(self, results: dict) -> Optional[dict]:
        """Crop picture, boxes (clipped) and masks."""
        results = super().transform(results)
        if results is not None:
            results['cropped'] = True
        return results


@TRANSFORMS.register_module()
class RasterizeMasks(BaseTransform):
    """Turns polygons and lazy masks into bitmaps at the final size; bitmaps pass through."""

    def transform(self, results: dict) -> dict:
        """Make ``gt_masks`` a uint8 :class:`BitmapMasks` (N, H, W); without any there is nothing to do."""
        masks = results.get('gt_masks')
        if isinstance(masks, LazyMasks):
            results['gt_masks'] = masks.to_bitmap()
        elif isinstance(masks, PolygonMasks):
            bitmaps = np.zeros((len(masks), masks.height, masks.width), dtype=np.uint8)
            for i, polygons in enumerate(masks.masks):
                bitmaps[i] = decode(polygons_to_rle(polygons, masks.height, masks.width))
            results['gt_masks'] = BitmapMasks(bitmaps, masks.height, masks.width)
        return results


@TRANSFORMS.register_module()
class BoxesFromMasks(BaseTransform):
    """Recomputes boxes from the bitmaps after a crop: (min, min, max + 1, max + 1) px.

    For expressions, clips with masks and large-scale jittering (DESIGN section 8); elsewhere a
    crop just clips the annotated box.

    Args:
        only_if_cropped (bool): leave the annotated boxes of images alone that
            :class:`CropWindow` did not crop.
    """

    def __init__(self, only_if_cropped: bool = True) -> None:
        self.only_if_cropped = only_if_cropped

    def transform(self, results: dict) -> dict:
        """Replace ``gt_bboxes``; an empty mask gives a box of zero size."""
        if not self.only_if_cropped or results.get('cropped', False):
            box_type = get_box_type('hbox')[1]
            results['gt_bboxes'] = results['gt_masks'].get_bboxes(box_type)
        return results
