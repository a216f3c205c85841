"""Clips: which frames, and image transforms applied to each of them."""
import copy
import random
from typing import Dict, List, Optional, Sequence, Union

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform, Compose
from mmdet.registry import TRANSFORMS
from mmdet.structures import TrackDataSample

from ...structures.masks import union

ORDERS = ('forward', 'backward', 'random')


@TRANSFORMS.register_module()
class SampleClip(BaseTransform):
    """Picks the frames of a training clip (DESIGN section 8, 'Clips').

    A reference frame is drawn uniformly, the others with replacement from the frames within
    ``frame_range`` of it and at least ``min_interval`` away (the reference itself if there is none).

    Args:
        num_frames (int): frames of a clip.
        frame_range (int): most frames from the reference: 10 (OVIS), 5 (YouTube-VIS), 12 (BURST).
        min_interval (int): fewest frames from the reference; 0 allows the frame itself, as released.
        order (str): 'forward' sorts by time, 'backward' reverses that, 'random' takes either by chance.
        shared_object (bool): draw again, up to ``tries`` times, until some object is in all frames.
        tries (int): draws.

    Raises:
        ValueError: unknown ``order``.
    """

    def __init__(self, num_frames: int = 2, frame_range: int = 10, min_interval: int = 0, order: str = 'forward',
                 shared_object: bool = False, tries: int = 10) -> None:
        if order not in ORDERS:
            raise ValueError(f'SampleClip got order={order!r}; choose from {ORDERS}')
        self.num_frames, self.frame_range, self.min_interval = num_frames, frame_range, min_interval
        self.order, self.shared_object, self.tries = order, shared_object, tries

    def draw(self, length: int) -> List[int]:
        """Positions of the frames in a video of ``length`` frames."""
        reference = np.random.randint(length)
        near = [i for i in range(max(0, reference - self.frame_range), min(length, reference + self.frame_range + 1))
                if abs(i - reference) >= self.min_interval] or [reference]
        others = np.random.choice(near, self.num_frames - 1).tolist()
        backward = self.order == 'backward' or (self.order == 'random' and np.random.random() < 0.5)
        return sorted([int(reference), *others], reverse=backward)

    def transform(self, results: Dict) -> Optional[Dict]:
        """A video record to ``frames``; None if no clip has a shared object."""
        for _ in range(self.tries if self.shared_object else 1):
            frames = results['expand'](results, self.draw(results['video_length']))
            ids = [{o['instance_id'] for o in frame['instances'] if not o['ignore_flag']} for frame in frames]
            if not self.shared_object or set.intersection(*ids):
                return dict(frames=frames)
        return None


@TRANSFORMS.register_module()
class PseudoClip(BaseTransform):
    """Makes a clip of a still image: so many copies, to be augmented each on its own.

    Args:
        num_frames (int): frames of a clip.
        max_objects (int): objects of an image beyond this number are left out at random.
    """

    def __init__(self, num_frames: int = 2, max_objects: int = 30) -> None:
        self.num_frames, self.max_objects = num_frames, max_objects

    def transform(self, results: Dict) -> Dict:
        """An image record to ``frames`` whose objects are numbered from 1."""
        instances = [dict(record, instance_id=number) for number, record in enumerate(results['instances'], 1)]
        if len(instances) > self.max_objects:
            kept = np.sort(np.random.choice(len(instances), self.max_objects, replace=False))
            instances = [instances[i] for i in kept]
        image = dict(results, instances=instances, video_id=results['img_id'], video_length=self.num_frames,
                     ori_video_length=self.num_frames)
        return dict(frames=[dict(copy.deepcopy(image), frame_id=i) for i in range(self.num_frames)])


@TRANSFORMS.register_module()
class ForEachFrame(BaseTransform):
    """Runs image transforms on every frame of a clip.

    Args:
        transforms (list[dict | callable]): image transforms.
        share (bool): every frame sees the same random numbers, so that flips and sizes agree; with
            False each frame draws its own (crop windows, pseudo clips).
    """

    def __init__(self, transforms: List[Union[dict, callable]], share: bool = False) -> None:
        self.transforms = Compose(transforms)
        self.share = share

    def transform(self, results: Dict) -> Optional[Dict]:
        """Replace ``frames``; None if a frame is unusable."""
        frames, states = [], _random_states()
        for frame in results['frames']:
            if self.share:
                _restore(states)
            frame = self.transforms(frame)
            if frame is None:
                return None
            frames.append(frame)
        return dict(results, frames=frames)


def _random_states() -> tuple:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _restore(states: tuple) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])


@TRANSFORMS.register_module()
class ObjectInFirstFrame(BaseTransform):
    """Swaps a first frame without an object with the first frame that has one (DESIGN section 8, 'Clips').

    Comes after the frames are packed.

    Args:
        require (bool): None, so that another sample takes its place, if no frame has an object.
    """

    def __init__(self, require: bool = False) -> None:
        self.require = require

    def transform(self, results: Dict) -> Optional[Dict]:
        """Reorder ``frames``."""
        frames = list(results['frames'])
        filled = [i for i, frame in enumerate(frames) if len(frame['data_samples'].gt_instances)]
        if not filled:
            return None if self.require else results
        frames[0], frames[filled[0]] = frames[filled[0]], frames[0]
        return dict(results, frames=frames)


@TRANSFORMS.register_module()
class PackClip(BaseTransform):
    """Packed frames to ``inputs`` uint8 (T, 3, H, W), as mmdet has it, and a ``TrackDataSample``.

    Frames of several sizes are padded to the largest; ``GLEEVideoDataPreprocessor`` cuts them out again
    by the ``input_shape`` (height, width) that every frame gets here. Padding that the pipeline made itself
    (``PadSquare``) belongs to the frame and stays.
    """

    def transform(self, results: Dict) -> Dict:
        """Pack the frames of a clip or window."""
        pictures = [frame['inputs'] for frame in results['frames']]
        for frame in results['frames']:
            frame['data_samples'].set_metainfo(dict(input_shape=tuple(frame['inputs'].shape[-2:])))
        height, width = (max(picture.shape[side] for picture in pictures) for side in (1, 2))
        sample = TrackDataSample()
        sample.video_data_samples = [frame['data_samples'] for frame in results['frames']]
        return dict(data_samples=sample, inputs=torch.stack([
            F.pad(picture, (0, width - picture.shape[2], 0, height - picture.shape[1])) for picture in pictures]))


@TRANSFORMS.register_module()
class PickVideoExpression(BaseTransform):
    """Keeps one random sentence of a video and what it refers to; one sentence for all frames.

    Several objects of one sentence become one, their union. Comes before the frames are loaded.
    """

    def transform(self, results: Dict) -> Dict:
        """Reduce ``text`` and ``instances`` of every frame; the object gets label 0 and identity 1."""
        expressions = results['frames'][0]['video_info']['expressions']
        chosen = np.random.randint(len(expressions))
        wanted = expressions[chosen]['object_ids']
        frames = []
        for frame in results['frames']:
            own = [record for record in frame['instances'] if record['instance_id'] in wanted]
            frames.append(dict(frame, text=[frame['text'][chosen]], instances=[_union(own)] if own else []))
        return dict(results, frames=frames)


def _union(instances: Sequence[dict]) -> dict:
    """One object out of several."""
    joined = dict(instances[0], bbox_label=0, instance_id=1)
    if len(instances) > 1:
        boxes = np.array([record['bbox'] for record in instances])
        joined['bbox'] = [*boxes[:, :2].min(0).tolist(), *boxes[:, 2:].max(0).tolist()]
        joined['mask'] = union([record['mask'] for record in instances])
    return joined
