"""Frames of annotated videos as images of their own."""
import os.path as osp
from typing import Iterator, List, Tuple

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ...structures.row_values import BrokenRow, flag, image_size
from ..image.text_datasets import TextFromCategories
from .track_rows import read_track


@DATASETS.register_module()
class VideoFramesDataset(TextFromCategories, BaseDetDataset):
    """Files in the layout of YouTube-VIS, read frame by frame: every frame is one item.

    It reads YouTube-VIS 2019 and 2021, OVIS, UVO's dense videos, YouTube-VOS and BDD's box and
    segmentation tracks: ``videos[]`` with ``file_names``, ``annotations[]`` with one box, mask or
    None per frame in ``bboxes`` and ``segmentations``, read by ``read_track`` as for clips.

    An item has, beside what an image has, ``video_id``, ``frame_id`` (position in the video), and
    ``instance_id`` (the annotation's id) on each object. ``img_id`` counts the frames of the file.
    """

    owners, owner_id = 'videos', 'video_id'

    def parse_data_info(self, raw_data_info: dict) -> List[dict]:
        """All frames of one video."""
        video, tracks = raw_data_info['raw_img_info'], raw_data_info['raw_ann_info']
        width, height = image_size(video)
        names = video.get('file_names')
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise BrokenRow('video without file_names')
        first = self._frames_so_far
        self._frames_so_far += len(names)
        frames = [dict(img_path=osp.join(self.data_prefix.get('img', ''), name),
                       img_id=first + position, seg_map_path=None, height=height, width=width,
                       video_id=video['id'], frame_id=position, instances=[])
                  for position, name in enumerate(names)]
        for track in tracks:
            for frame, instance in self._appearances(track, frames):
                frame['instances'].append(dict(instance, instance_id=track.get('id')))
        return frames

    def prepare(self, groups, header: dict) -> None:
        """Choose the categories and start counting frames."""
        super().prepare(groups, header)
        self._frames_so_far = 0

    def _appearances(self, track: dict, frames: List[dict]) -> Iterator[Tuple[dict, dict]]:
        """(frame, object) wherever the track is to be seen and can be used."""
        where, size = f'annotation {track.get("id")}', (frames[0]['width'], frames[0]['height'])

        def note(reason: str, frame: int) -> None:
            self._broken.add(reason, f'{where} in {frames[frame]["img_path"]}')

        try:
            label = self.label_of(track)
            if label is None:
                return
            crowd = int(flag(track.get('iscrowd'), 'iscrowd'))
            sights = read_track(track, size, len(frames), note, with_masks=self.masks != 'ignored')
        except BrokenRow as problem:
            self._broken.add(str(problem), where)
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
