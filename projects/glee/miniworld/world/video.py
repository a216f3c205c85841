"""Annotated videos: moving objects, and what can be seen of each one in every frame."""
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from ..formats.masks import mask_to_rle
from .pictures import stream_rng
from .scene import Background, Scene, SceneObject, in_sight, visible_masks
from .shapes import footprint
from .video_scene import VideoSampler

MIN_AREA = 16  # visible px below which an object counts as absent


@dataclass(frozen=True)
class Glimpse:
    """An object in one frame.

    Args:
        bbox (tuple[int]): x, y, width, height of the visible region, px.
        area (int): visible pixels.
        rle (dict): compressed RLE of the visible region.
    """
    bbox: tuple
    area: int
    rle: dict

    @cached_property
    def mask(self) -> np.ndarray:
        """Bool (height, width)."""
        return mask_utils.decode(self.rle).astype(bool)


@dataclass(frozen=True)
class Track:
    """An object in a video.

    Args:
        ann_id (int): unique over the videos of a source.
        motion (str): how it was made to move.
        poses (tuple[SceneObject]): the whole object per frame, in the image or not.
        glimpses (tuple[Glimpse]): per frame, None where the object is not to be seen.
        hidden (tuple[float]): per frame, share of the part within the image that others hide; 0
            where the object is outside.
    """
    ann_id: int
    motion: str
    poses: tuple
    glimpses: tuple
    hidden: tuple

    @property
    def obj(self) -> SceneObject:
        return self.poses[0]

    @property
    def first(self) -> int:
        """The first frame that shows the object."""
        return next(index for index, glimpse in enumerate(self.glimpses) if glimpse)

    @property
    def was_hidden(self) -> bool:
        """Whether more than half was hidden in a frame between two that show more."""
        shown = [index for index, glimpse in enumerate(self.glimpses) if glimpse and self.hidden[index] < 0.5]
        return bool(shown) and any(share > 0.5 for share in self.hidden[shown[0]:shown[-1] + 1])


@dataclass(frozen=True)
class Video:
    """A video of the world.

    Args:
        stream (str), seed (int), index (int): what it was drawn from.
        video_id (int): unique over the splits of a source.
        height, width (int): px.
        background (Background): the same in all frames.
        tracks (tuple[Track]): in depth order, the last in front.
    """
    stream: str
    seed: int
    index: int
    video_id: int
    height: int
    width: int
    background: Background
    tracks: tuple

    @property
    def length(self) -> int:
        return len(self.tracks[0].poses)

    @property
    def name(self) -> str:
        """Ten hexadecimal digits, like YouTube-VIS."""
        return f'{self.video_id * 0x9e3779b97f % 2**40:010x}'

    @property
    def occluded(self) -> bool:
        """Whether the video belongs to the occlusion split."""
        return any(track.was_hidden for track in self.tracks)

    def rng(self, purpose: str) -> np.random.Generator:
        """The random numbers of this video for one purpose."""
        return stream_rng(self.seed, self.stream, self.index, purpose)

    def scene(self, frame: int) -> Scene:
        """What a frame shows."""
        poses = [track.poses[frame] for track in self.tracks]
        return frame_scene(poses, self.height, self.width, self.background)[0]


def frame_scene(poses, height: int, width: int, background: Background = None) -> tuple:
    """The scene of the objects that reach into the image, and their positions in `poses`."""
    inside = [index for index, pose in enumerate(poses) if in_sight(pose, height, width)]
    return Scene(width, height, background, tuple(poses[index] for index in inside)), inside


def watch(objects, height: int, width: int) -> tuple:
    """What can be seen of moving objects.

    Args:
        objects (Sequence[tuple]): poses per object, in depth order.
        height, width (int): px.

    Returns:
        tuple: per object its glimpses and its hidden shares, as in `Track`.
    """
    glimpses = [[None] * len(poses) for poses in objects]
    hidden = [[0.] * len(poses) for poses in objects]
    for frame, poses in enumerate(zip(*objects)):
        scene, inside = frame_scene(poses, height, width)
        for index, mask in zip(inside, visible_masks(scene.objects, height, width)):
            area = int(mask.sum())
            hidden[index][frame] = 1 - area / int(footprint(poses[index], height, width).sum())
            if area >= MIN_AREA:
                box = cv2.boundingRect(mask.astype(np.uint8))
                glimpses[index][frame] = Glimpse(tuple(int(value) for value in box), area, mask_to_rle(mask))
    return tuple(zip(map(tuple, glimpses), map(tuple, hidden)))


def film_videos(stream: str, seed: int, count: int, first_video_id: int, first_ann_id: int, sampler: VideoSampler):
    """Draws the first `count` videos of a stream.

    Args:
        stream (str): one of `STREAMS`.
        seed (int): of the world.
        count (int): number of videos.
        first_video_id, first_ann_id (int): where the ids start.
        sampler (VideoSampler): of the source.

    Yields:
        Video: in order.
    """
    for index in range(count):
        scene = sampler(stream_rng(seed, stream, index, 'scene'))
        seen = watch([moving.poses for moving in scene.objects], scene.height, scene.width)
        tracks = tuple(
            Track(first_ann_id + position, moving.motion, moving.poses, *parts)
            for position, (moving, parts) in enumerate(zip(scene.objects, seen)))
        first_ann_id += len(tracks)
        yield Video(stream, seed, index, first_video_id + index, scene.height, scene.width, scene.background, tracks)
