"""Single frames of videos: reading, filtering and packing with identities."""
import logging
from typing import Dict, Optional

import mmcv
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmengine.logging import print_log

from ...prompts.click_simulation import ClickSimulator
from ...prompts.rasters import box_mask, point_mask
from ...prompts.samplers import box_of
from ...structures.masks import decode, to_rle
from .loading import FilterObjects, LoadImage, LoadInstances
from .source import PackGLEEInputs


@TRANSFORMS.register_module()
class LoadFrame(LoadImage):
    """``LoadImage`` for test videos: an unreadable frame does not end the evaluation of its video.

    In its place comes a black frame of the annotated size, marked ``unreadable``. A frame of another size
    than annotated is resized to that, so that results fit the annotations. Both are logged.

    Args:
        backend_args (dict | None): of mmengine's file backend.
    """

    def __init__(self, backend_args: Optional[dict] = None) -> None:
        super().__init__(skip_unreadable=True, backend_args=backend_args)

    def transform(self, results: dict) -> dict:
        """Add ``img``, ``img_shape`` and ``ori_shape``."""
        size = results['height'], results['width']
        loaded = super().transform({key: value for key, value in results.items() if key not in ('height', 'width')})
        if loaded is None:
            print_log(f'{results["img_path"]}: a black frame of {size} takes its place', logger='current',
                      level=logging.WARNING)
            loaded = dict(img=np.zeros((*size, 3), np.uint8), unreadable=True)
        elif loaded['img_shape'] != size:
            print_log(f'{results["img_path"]} is {loaded["img_shape"]} (height, width) and is resized to the '
                      f'annotated {size}', logger='current', level=logging.WARNING)
            loaded['img'] = mmcv.imresize(loaded['img'], size[::-1], backend='pillow')
        return dict(results, **dict(loaded, img_shape=size, ori_shape=size))


@TRANSFORMS.register_module()
class LoadFrameInstances(LoadInstances):
    """``LoadInstances`` with the identities of the objects."""

    def transform(self, results: dict) -> dict:
        """Add ``gt_bboxes``, ``gt_bboxes_labels``, ``gt_masks`` and ``gt_instances_ids`` (N,)."""
        results = super().transform(results)
        results['gt_instances_ids'] = np.array([record['instance_id'] for record in results['instances']], np.int64)
        return results


@TRANSFORMS.register_module()
class FilterFrameObjects(FilterObjects):
    """``FilterObjects`` that also filters the identities."""

    def transform(self, results: dict) -> Optional[dict]:
        """Filter boxes, labels, masks and identities alike."""
        labels, ids = results['gt_bboxes_labels'], results['gt_instances_ids']
        # the base class knows labels only: let it filter positions in their place
        results['gt_bboxes_labels'] = np.arange(len(labels))
        results = super().transform(results)
        if results is None:
            return None
        kept = results['gt_bboxes_labels']
        results['gt_bboxes_labels'], results['gt_instances_ids'] = labels[kept], ids[kept]
        return results


def first_click(mask: np.ndarray) -> np.ndarray:
    """The rectangle of a click on the deepest pixel of a mask (H, W)."""
    click = ClickSimulator(mask).next(np.zeros_like(mask))
    return point_mask(mask.shape, click.x, click.y)


FIRST_PROMPTS = dict(mask=lambda mask: mask, point=first_click, box=lambda mask: box_mask(mask.shape, box_of(mask)))


@TRANSFORMS.register_module()
class FirstMaskPrompts(BaseTransform):
    """Prompts of the objects that appear in this frame, from their masks (video object segmentation).

    Needs ``instances`` with ``is_first`` (PNGTreeDataset, YTVISJsonDataset). Prompts are drawn at the size
    of the annotation and moved to the resized frame by ``WarpPrompts``, which comes next.

    Args:
        kind (str): 'mask'; 'point', one click on the deepest pixel; or 'box'.
    """

    def __init__(self, kind: str = 'mask') -> None:
        if kind not in FIRST_PROMPTS:
            raise ValueError(f'FirstMaskPrompts got kind={kind!r}; choose from {tuple(FIRST_PROMPTS)}')
        self.kind = kind

    def transform(self, results: dict) -> dict:
        """Add ``prompts`` and ``prompt_identities``; nothing in a frame without new objects."""
        new = [record for record in results['instances'] if record.get('is_first') and record.get('mask')]
        if new:
            masks = [FIRST_PROMPTS[self.kind](decode(to_rle(record['mask'], *results['ori_shape']))) for record in new]
            results['prompts'] = dict(
                masks=np.stack(masks), kinds=[self.kind] * len(new), object_ids=np.arange(len(new)), drawn_at=None)
            results['prompt_identities'] = np.array([record['instance_id'] for record in new])
        return results


@TRANSFORMS.register_module()
class PackFrame(PackGLEEInputs):
    """``PackGLEEInputs`` with identities and what metrics of videos need.

    Args:
        with_truth (bool): at test, put ``instances`` into the meta information, at the original size, where
            the metrics of videos read them.
        **kwargs: as for ``PackGLEEInputs``.
    """

    mapping_table = {**PackGLEEInputs.mapping_table, 'gt_instances_ids': 'instances_ids'}
    video_keys = ('video_id', 'frame_id', 'video_length', 'ori_video_length', 'video_info', 'annotated', 'void',
                  'foreground')

    def __init__(self, with_truth: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.meta_keys = (*self.meta_keys, *self.video_keys, *(('instances', ) if with_truth else ()))

    def transform(self, results: Dict) -> Dict:
        """Pack to ``inputs`` uint8 (3, H, W) and a ``DetDataSample``."""
        packed = super().transform(results)
        if 'prompt_identities' in results:
            ids = results['prompt_identities'][results['prompts']['object_ids']]
            packed['data_samples'].prompts.instance_ids = torch.as_tensor(ids, dtype=torch.long)
        return packed
