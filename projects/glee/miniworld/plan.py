"""What a MiniWorld is asked to hold, and how the images of a source are drawn and written."""
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .formats.files import write_bytes
from .world.pictures import encode_scene, take_pictures
from .world.scene import SceneSampler
from .world.video import film_videos
from .world.video_scene import VideoSampler

FIRST_VAL_ID = 500001  # image ids; val must not repeat a train id, RefCOCO holds both
FIRST_VAL_ANN_ID = 9000001
FIRST_VAL_VIDEO_ID = 50001


@dataclass(frozen=True)
class Plan:
    """A MiniWorld to be written.

    Args:
        root (Path): folder.
        images, val_images (int): of each source of images.
        videos, val_videos (int): of each source of videos.
        seed (int): of the world.
        progress (Callable): wraps (iterable, description, total).
    """
    root: Path
    images: int
    val_images: int
    videos: int
    val_videos: int
    seed: int
    progress: Callable

    def draw(self, source: str, split: str, write_image, sampler: SceneSampler = None) -> list:
        """Draws the pictures of a split and writes each one when it is drawn.

        Args:
            source (str): name of the streams `{source}_train` and `{source}_val`.
            split (str): 'train' or 'val'.
            write_image (Callable): (root, split, picture, JPEG bytes).
            sampler (SceneSampler): None is the default world.

        Returns:
            list[Picture]: all of the split.
        """
        count, firsts = (self.images, (1, 1)) if split == 'train' else (
            self.val_images, (FIRST_VAL_ID, FIRST_VAL_ANN_ID))
        taken = take_pictures(f'{source}_{split}', self.seed, count, *firsts, sampler)
        pictures = []
        for picture in self.progress(taken, f'{source} {split}', count):
            write_image(self.root, split, picture, picture.encode())
            pictures.append(picture)
        return pictures

    def film(self, source: str, split: str, frame_path, sampler: VideoSampler) -> list:
        """Draws the videos of a split and writes their frames.

        Args:
            source (str): name of the streams `{source}_train` and `{source}_val`.
            split (str): 'train' or 'val'.
            frame_path (Callable): (video, frame) -> path below `root`, .jpg or .png.
            sampler (VideoSampler): of the source.

        Returns:
            list[Video]: all of the split.
        """
        count, firsts = (self.videos, (1, 1)) if split == 'train' else (
            self.val_videos, (FIRST_VAL_VIDEO_ID, FIRST_VAL_ANN_ID))
        filmed = film_videos(f'{source}_{split}', self.seed, count, *firsts, sampler)
        videos = []
        for video in self.progress(filmed, f'{source} {split}', count):
            for frame in range(video.length):
                path = self.root / frame_path(video, frame)
                write_bytes(path, encode_scene(video.scene(frame), path.suffix))
            videos.append(video)
        return videos
