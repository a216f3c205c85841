"""Frames of annotated videos as images of their own."""
import os.path as osp
from typing import List

import numpy as np
from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ...structures.masks import bounding_box, usable_mask
from ...structures.row_values import BrokenRow, image_size
from ..image.text_datasets import TextFromCategories


@DATASETS.register_module()
class VideoFramesDataset(TextFromCategories, BaseDetDataset):
    """Files in the layout of YouTube-VIS, read frame by frame: every frame is one item.

    It reads YouTube-VIS 2019 and 2021, OVIS, UVO's dense videos, YouTube-VOS and BDD's box and
    segmentation tracks: ``videos[]`` with ``file_names``, ``annotations[]`` with one box, mask or
    None per frame in ``bboxes`` and ``segmentations``. Where a frame has a mask and no box, the box
    is that of the mask.

    An item has, beside what an image has, ``video_id``, ``frame_id`` (position in the video), and
    ``instance_id`` (the annotation's id) on each object. ``img_id`` counts the frames of the file.
    """

    owners, owner_id = 'videos', 'video_id'

    def parse_data_info(self, raw_data_info: dict) -> List[dict]:
        """All frames of one video."""
        video, tracks = raw_data_info['raw_img_info'], raw_data_info['raw_ann_info']
        width, height = image_size(video)
        names = video.get('file_names') or ()
        if not names:
            raise BrokenRow('video without file_names')
        first = self._frames_so_far
        self._frames_so_far += len(names)
        frames = [dict(img_path=osp.join(self.data_prefix.get('img', ''), name),
                       img_id=first + position, seg_map_path=None, height=height, width=width,
                       video_id=video['id'], frame_id=position, instances=[])
                  for position, name in enumerate(names)]
        for track in tracks:
            for frame, box, mask in self._appearances(track, frames):
                instance = self.parse_instance(track, box, mask, width, height)
                if instance is not None:
                    frame['instances'].append(dict(instance, instance_id=track.get('id')))
        return frames

    def prepare(self, groups, header: dict) -> None:
        """Choose the categories and start counting frames."""
        super().prepare(groups, header)
        self._frames_so_far = 0

    def _appearances(self, track: dict, frames: List[dict]):
        """(frame, box or None, mask or None) wherever the track has either."""
        boxes, masks = track.get('bboxes') or (), track.get('segmentations') or ()
        if max(len(boxes), len(masks)) > len(frames):
            self._broken.add('track longer than its video', f'annotation {track.get("id")}')
            return
        for position, frame in enumerate(frames):
            box = boxes[position] if position < len(boxes) else None
            mask = masks[position] if position < len(masks) else None
            try:
                if mask and not box:
                    box = box_of_mask(mask, frame['width'], frame['height'])
            except BrokenRow as problem:
                self._broken.add(str(problem), f'annotation {track.get("id")} in {frame["img_path"]}')
                continue
            if box or mask:
                yield frame, box, mask


def box_of_mask(mask, width: int, height: int) -> List[float]:
    """The xywh box (px) around polygons or an RLE.

    Raises:
        BrokenRow: the mask is unusable.
    """
    mask = usable_mask(mask, height, width)
    if isinstance(mask, list):
        points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in mask])
        low, high = points.min(0), points.max(0)
        return [*low.tolist(), *(high - low).tolist()]
    return bounding_box(mask)
