"""Reading pictures and their objects."""
import logging
import multiprocessing
from typing import List, Optional

import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmdet.datasets.transforms import FilterAnnotations, LoadAnnotations
from mmdet.registry import TRANSFORMS
from mmengine.fileio import get
from mmengine.logging import print_log

from ...registry import TRANSFORMS as GLEE_TRANSFORMS
from ...structures.masks import bounding_box, empty_mask, polygons_to_rle, read_mask, to_rle
from ...structures.row_values import BrokenRow
from ..store.pictures import read_picture
from .lazy_masks import LazyMasks

ALL_UNREADABLE = 10  # pictures after which a test without a readable one is a wrong path, not bad luck


class SharedCount:
    """A count that the worker processes of a data loader share with their parent."""

    def __init__(self) -> None:
        self._value = multiprocessing.Value('q', 0)

    def increment(self) -> int:
        """Add one and return the new count."""
        with self._value.get_lock():
            self._value.value += 1
            return self._value.value

    @property
    def value(self) -> int:
        """Events so far in all processes."""
        return self._value.value

    def __deepcopy__(self, memo: dict) -> 'SharedCount':
        return self  # copies of a pipeline go on counting together


@GLEE_TRANSFORMS.register_module('LoadImageFromFile')
@TRANSFORMS.register_module()
class LoadImage(LoadImageFromFile):
    """Reads a picture with ``read_picture``: BGR uint8, EXIF rotation applied (DESIGN section 8).

    As first step of a test pipeline it is called ``glee.LoadImageFromFile``: the name after the scope is what mmdet's
    ``DetInferencer`` looks for, to put its own loader there.

    Args:
        skip_unreadable (bool): what to do with a file that is missing or corrupt, or whose size
            is not the annotated one; it is logged with the running count. True (training) returns
            None, so that the data set takes another sample. False (test) gives a black picture of
            the annotated size, marked ``unreadable``: metrics count nothing as found in it.
        backend_args (dict | None): of mmengine's file backend.
        imdecode_backend (str): 'pillow', as ``read_picture`` does; for mmdet's loader where that takes this place.

    Raises:
        ValueError: another ``imdecode_backend``;
            unreadable picture when ``skip_unreadable`` is False and no size is annotated, or when not one
            of the first ten pictures is readable.
    """

    def __init__(self, skip_unreadable: bool = False, backend_args: Optional[dict] = None,
                 imdecode_backend: str = 'pillow') -> None:
        if imdecode_backend != 'pillow':
            raise ValueError(f"LoadImage reads with imdecode_backend='pillow', not {imdecode_backend!r}")
        super().__init__(backend_args=backend_args, imdecode_backend=imdecode_backend)
        self.skip_unreadable = skip_unreadable
        self.skipped, self.read = SharedCount(), SharedCount()

    def transform(self, results: dict) -> Optional[dict]:
        """Add ``img`` (H, W, 3), ``img_shape`` and ``ori_shape``."""
        path = results['img_path']
        try:
            picture = read_picture(get(path, backend_args=self.backend_args))[..., ::-1]
        except (OSError, ValueError) as error:
            return self._give_up(results, str(error), error)
        size, annotated = picture.shape[:2], (results.get('height'), results.get('width'))
        if None not in annotated and annotated != size:
            turned = annotated == size[::-1]
            return self._give_up(results, f'it is {size} (height, width) but annotated as {annotated}' + (
                ': its EXIF orientation turns it, annotate it as it is shown' if turned else ''))
        self.read.increment()
        return dict(results, img=picture, img_shape=size, ori_shape=size)

    def _give_up(self, results: dict, reason: str, cause: Optional[Exception] = None) -> Optional[dict]:
        message = f'cannot use image {results["img_path"]}: {reason}'
        count, size = self.skipped.increment(), (results.get('height'), results.get('width'))
        if self.skip_unreadable:
            print_log(f'{message}; another sample takes its place ({count} skipped so far)',
                      logger='current', level=logging.WARNING)
            return None
        if None in size or not self.read.value and count >= ALL_UNREADABLE:
            raise ValueError(message + ('' if None in size else f'; none of {count} pictures could be used: check '
                                        'data_root and data_prefix')) from cause
        print_log(f'{message}; a black picture of {size} takes its place, in which nothing counts as found ({count} so '
                  'far)', logger='current', level=logging.WARNING)
        return dict(results, img=np.zeros((*size, 3), np.uint8), img_shape=size, ori_shape=size, unreadable=True)


@TRANSFORMS.register_module()
class LoadInstances(LoadAnnotations):
    """Loads boxes, labels and masks of the objects of an image; crowds are left out.

    Masks stay :class:`PolygonMasks` when every object has polygons, so that flips, resizes and
    crops move coordinates, and become :class:`LazyMasks` otherwise (RLE; nearest neighbour), which
    are decoded one by one at their final size.
    A record without ``bbox`` (stock ``RefCocoDataset``) gets the box of its mask, one without
    ``bbox_label`` its position, which is the index of its expression. ``phrase_ids`` of the picture are the labels of
    its objects (stock ``Flickr30kDataset``, whose own labels are all 1). Masks are checked; one that cannot be used is
    logged with the running count.

    Args:
        with_mask (bool): load masks; False for sources that have boxes only.
        keep_unmasked (bool): what happens to an object without a mask that can be used. True (test)
            gives it an empty mask, so that its box stays; False (training) leaves it out if its mask
            is broken, and raises if it has none.

    Raises:
        ValueError: ``with_mask`` without ``keep_unmasked``, and an object has none.
    """

    def __init__(self, with_mask: bool = True, keep_unmasked: bool = False, **kwargs) -> None:
        super().__init__(with_mask=with_mask, **kwargs)
        self.keep_unmasked = keep_unmasked
        self.broken = SharedCount()

    def transform(self, results: dict) -> dict:
        """Add ``gt_bboxes`` (N, 4) xyxy px, ``gt_bboxes_labels`` (N,) and ``gt_masks``."""
        instances: List[dict] = []
        for position, record in enumerate(results.get('instances', [])):
            if record.get('ignore_flag', 0):
                continue
            record = dict(record, ignore_flag=0)
            if 'phrase_ids' in results:
                record['bbox_label'] = results['phrase_ids'][position]
            if self.with_mask:
                record['mask'] = self._read_mask(record.get('mask'), results)
                if record['mask'] is None:
                    continue
            record.setdefault('bbox_label', position)
            if 'bbox' not in record:
                x, y, width, height = bounding_box(to_rle(record['mask'], *results['ori_shape']))
                record['bbox'] = [x, y, x + width, y + height]
            instances.append(record)
        results['instances'] = instances
        return super().transform(results)

    def _read_mask(self, mask, results: dict):
        """A mask that can be used, an empty one in its place, or None."""
        if not mask:
            if not self.keep_unmasked:
                raise ValueError(
                    f'an object of {results["img_path"]} has no mask; load this source with '
                    'LoadInstances(with_mask=False) and supervision without "mask"')
            return empty_mask(*results['ori_shape'])
        try:
            return read_mask(mask, *results['ori_shape'])
        except BrokenRow as reason:
            print_log(f'an object of {results["img_path"]} has a mask that cannot be used: {reason} '
                      f'({self.broken.increment()} so far)', logger='current', level=logging.WARNING)
            return empty_mask(*results['ori_shape']) if self.keep_unmasked else None

    def _load_masks(self, results: dict) -> None:
        masks = [instance['mask'] for instance in results['instances']]
        if all(isinstance(mask, list) for mask in masks):
            self.poly2mask = False
            super()._load_masks(results)
        else:
            height, width = results['ori_shape']
            rles = [polygons_to_rle(mask, height, width) if isinstance(mask, list) else mask for mask in masks]
            results['gt_masks'] = LazyMasks(rles, height, width)


@TRANSFORMS.register_module()
class FilterObjects(FilterAnnotations):
    """Drops objects without extent: a box side at most ``min_side`` or an empty mask.

    mmdet's ``FilterAnnotations`` with masks looked at whenever there are any, and a plain rule for
    what is then left (the stock ``keep_empty`` returns None when True, and lets an image through
    that was empty before). Comes after RasterizeMasks (DESIGN section 8, "Images, boxes, masks").

    Args:
        min_side (float): shortest side of a box, px.
        require_object (bool): what happens to an image left without object. False keeps it as an
            all-negative sample (detection); True returns None, so that another sample takes its
            place (expressions).
    """

    def __init__(self, min_side: float = 1e-5, require_object: bool = False) -> None:
        super().__init__(min_gt_bbox_wh=(min_side, min_side), keep_empty=False)
        self.require_object = require_object

    def transform(self, results: dict) -> Optional[dict]:
        """Filter boxes, labels and masks alike, objects with an invalid mask included."""
        self.by_mask = 'gt_masks' in results
        results = super().transform(results)
        if self.require_object and not (~results['gt_ignore_flags']).any():
            return None
        return results
