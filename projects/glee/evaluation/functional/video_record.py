"""A finished video: what was annotated and what was tracked."""
import logging
from dataclasses import asdict, dataclass

from mmengine.logging import print_log

from ...structures.masks import to_rle
from ...structures.row_values import BrokenRow
from ...structures.track import Track

FRAME_KEYS = ('frame_id', 'img_id', 'img_path', 'ori_shape', 'annotated', 'void', 'foreground')


@dataclass
class TruthTrack:
    """An annotated object: ``label``, and per frame an RLE and an xyxy box, or None; ``ignore``: crowd."""
    instance_id: int
    label: int
    ignore: bool
    segmentations: list
    bboxes: list


@dataclass
class VideoRecord:
    """One video of T frames.

    ``info``: what the reader says about the whole video (``video_id``, ``name``, ...). ``text``: its
    names or expressions. ``frames``: per frame ``frame_id``, ``img_id``, ``img_path``, ``ori_shape``
    (height, width), ``annotated``, ``void`` (RLE of pixels that do not count, or None), ``foreground`` (RLE of all
    that anybody could mean, or None) and ``instances`` as the reader gives them, masks as compressed RLE.
    ``tracks``: the prediction.
    """
    info: dict
    text: tuple
    frames: list[dict]
    tracks: list[Track]

    @property
    def video_id(self):
        """Id of the video in its annotation file."""
        return self.info['video_id']

    @property
    def name(self) -> str:
        """Name of the video's folder."""
        return str(self.info.get('name', self.video_id))

    def number_of(self, instance_id: int) -> int:
        """The number of an object in its benchmark's palette files: of ``info['object_numbers']``, else its own id."""
        return int(self.info.get('object_numbers', {}).get(str(instance_id), instance_id))

    @property
    def annotated(self) -> list[int]:
        """Positions of the frames that are annotated and so scored."""
        return [i for i, frame in enumerate(self.frames) if frame['annotated']]

    def truth(self) -> list[TruthTrack]:
        """The annotated objects, in order of appearance."""
        objects: dict[int, TruthTrack] = {}
        for position, frame in enumerate(self.frames):
            for instance in frame['instances']:
                identity = instance['instance_id']
                if identity not in objects:
                    empty = [None] * len(self.frames)
                    objects[identity] = TruthTrack(identity, instance['bbox_label'], False, empty, list(empty))
                track = objects[identity]
                track.ignore |= bool(instance.get('ignore_flag', 0))
                track.segmentations[position] = instance.get('mask')
                track.bboxes[position] = instance.get('bbox')
        return list(objects.values())

    def to_json(self) -> dict:
        """Plain data, for a file."""
        return dict(info=self.info, text=list(self.text), frames=self.frames,
                    tracks=[asdict(track) for track in self.tracks])

    @classmethod
    def from_json(cls, data: dict) -> 'VideoRecord':
        """The inverse of ``to_json``."""
        return cls(data['info'], tuple(data['text']), data['frames'], [Track(**track) for track in data['tracks']])


def frame_record(sample) -> dict:
    """What a metric keeps of one frame's ``DetDataSample``."""
    meta = sample.metainfo
    frame = {key: meta.get(key) for key in FRAME_KEYS}
    frame['ori_shape'] = [int(side) for side in meta['ori_shape'][:2]]
    frame['annotated'] = bool(meta.get('annotated', True))
    frame['instances'] = []
    for instance in meta.get('instances', []):
        instance = dict(instance)
        if instance.get('mask') is not None:
            try:
                instance['mask'] = to_rle(instance['mask'], *frame['ori_shape'])
            except BrokenRow as problem:
                print_log(f'{frame["img_path"]}: object {instance["instance_id"]} has a mask that cannot be used and '
                          f'counts as not visible: {problem}', logger='current', level=logging.WARNING)
                instance['mask'] = None
        frame['instances'].append(instance)
    return frame
