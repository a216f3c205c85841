"""Frames of annotated videos as images of their own."""
import os.path as osp
from typing import Iterator, List, Tuple

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ...structures.row_values import BrokenRow, flag
from ..image.text_datasets import TextFromCategories
from ..store.rows import Row, size_of
from .track_rows import annotated_frames, read_track


@DATASETS.register_module()
class VideoFramesDataset(TextFromCategories, BaseDetDataset):
    """Files in the layout of YouTube-VIS, read frame by frame: every frame is one item.

    It reads YouTube-VIS 2019 and 2021, OVIS, UVO's dense videos, YouTube-VOS and BDD's box and
    segmentation tracks: ``videos[]`` with ``file_names``, ``annotations[]`` with one box, mask or
    None per frame in ``bboxes`` and ``segmentations``, read by ``read_track`` as for clips.

    An item has, beside what an image has, ``video_id``, ``frame_id`` (position in the video), and ``instance_id`` on
    each object: the annotation's id, or where ids are missing or the same, its number from 1. ``img_id`` counts the
    frames of the file.
    """

    owners, owner_id = 'videos', 'video_id'

    def parse_data_info(self, raw_data_info: dict) -> List[dict]:
        """All frames of one video."""
        video, tracks = raw_data_info['raw_img_info'], raw_data_info['raw_ann_info']
        names = video.get('file_names')
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise BrokenRow('video without file_names')
        paths = [osp.join(self.data_prefix.get('img', ''), name) for name in names]
        width, height = size_of(video, paths[0], self._broken)
        first = self._frames_so_far
        self._frames_so_far += len(names)
        frames = [dict(img_path=path, img_id=first + position, seg_map_path=None, height=height, width=width,
                       video_id=video['id'], frame_id=position, instances=[])
                  for position, path in enumerate(paths)]
        for track in tracks:
            identity = track['id'] if self._own_ids else track.number + 1
            for frame, instance in self._appearances(track, frames):
                self._layout.see(instance['bbox'], width, height, track.where)
                frame['instances'].append(dict(instance, instance_id=identity))
        shown = annotated_frames(video, len(names))
        return [frame for frame in frames if frame['frame_id'] in shown]

    def prepare(self, groups, header: dict) -> None:
        """Choose the categories and start counting frames."""
        super().prepare(groups, header)
        self._frames_so_far, self._own_ids = 0, groups.own_ids

    def _appearances(self, track: Row, frames: List[dict]) -> Iterator[Tuple[dict, dict]]:
        """(frame, object) wherever the track is to be seen and can be used."""
        size = frames[0]['width'], frames[0]['height']

        def note(reason: str, frame: int) -> None:
            self._broken.add(reason, f'{track.where} in {frames[frame]["img_path"]}')

        try:
            label = self.label_of(track)
            if label is None:
                return
            crowd = int(flag(track.get('iscrowd'), 'iscrowd'))
            sights = read_track(track, size, len(frames), note, with_masks=self.masks != 'ignored')
        except BrokenRow as problem:
            self._broken.add(str(problem), track.where)
            return
        for position, sight in enumerate(sights):
            if sight is None:
                continue
            instance = dict(ignore_flag=crowd, bbox=sight.xyxy, bbox_label=label)
            if sight.mask is not None and not crowd:
                instance['mask'] = sight.mask
            elif self.masks == 'required' and not crowd:
                note('no mask', position)
                continue
            yield frames[position], instance
