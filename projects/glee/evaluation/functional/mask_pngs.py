"""Masks as PNG files, one per frame."""
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from ...structures.masks import decode
from ...structures.palette import palette_picture
from .sentence_map import sentence_map
from .video_record import VideoRecord


def write_object_maps(folder: Path, video: VideoRecord) -> None:
    """``<folder>/<frame>.png``, the object's number as palette index; 0 is background.

    The numbers are those of ``video.number_of``.

    Raises:
        ValueError: a number above 254 (255 is void), or two frames of one name.
    """
    _clear(folder, video)
    for position, frame in enumerate(video.frames):
        index_map = np.zeros(frame['ori_shape'], np.uint8)
        for track in video.tracks:
            number = video.number_of(track.instance_id)
            if not 0 < number < 255:
                raise ValueError(f'video {video.name}: object number {number} does not fit a palette PNG')
            index_map[decode(track.segmentations[position], frame['ori_shape'])] = number
        palette_picture(index_map).save(folder / frame_name(frame))


def write_sentence_maps(folder: Path, video: VideoRecord) -> None:
    """``<folder>/<frame>.png``, the number of the sentence, from 1, as palette index; see ``sentence_map``."""
    _clear(folder, video)
    for position, frame in enumerate(video.frames):
        palette_picture(sentence_map(video, position)).save(folder / frame_name(frame))


def write_binary_masks(folder: Path, video: VideoRecord, track) -> None:
    """``<folder>/<frame>.png`` of one track, 0 or 255."""
    _clear(folder, video)
    for position, frame in enumerate(video.frames):
        mask = decode(track.segmentations[position], frame['ori_shape'])
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / frame_name(frame))


def frame_name(frame: dict) -> str:
    """File name of a frame's mask."""
    return Path(frame['img_path']).stem + '.png'


def _clear(folder: Path, video: VideoRecord) -> None:
    """Make the folder, without files from before.

    Raises:
        ValueError: two frames of the video would share a file.
    """
    names = [frame_name(frame) for frame in video.frames]
    again = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if again:
        raise ValueError(f'video {video.name}: {names.count(again[0])} of its frames would be written to {again[0]}; '
                         'give the frames of a video names of their own')
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
