"""One map of object numbers per frame from the masks of a video's sentences."""
import numpy as np

from ...structures.masks import decode
from .video_record import VideoRecord


def sentence_map(video: VideoRecord, frame: int) -> np.ndarray:
    """uint8 (H, W): k + 1 where sentence k owns the pixel, 0 background.

    Whose pixel it is the tracker knows (``Track.owned``); of masks alone the first sentence is on top.

    Raises:
        ValueError: there are more sentences than a palette has numbers.
    """
    shape = video.frames[frame]['ori_shape']
    numbers = np.zeros(shape, np.uint8)
    for track in sorted(video.tracks, key=lambda track: track.label, reverse=True):
        if track.label >= 255:
            raise ValueError(f'video {video.name}: sentence {track.label + 1} does not fit a palette PNG')
        numbers[decode((track.owned or track.segmentations)[frame], shape)] = track.label + 1
    return numbers
