"""Clips as so many images."""
from typing import Sequence

from mmdet.structures import DetDataSample, TrackDataSample


def flatten_clips(
        data_samples: Sequence[DetDataSample | TrackDataSample]) -> tuple[list[DetDataSample], int]:
    """The frames of all clips, one clip after the other, and the frames per clip (1 for images).

    Raises:
        ValueError: the clips differ in length.
    """
    if not any(isinstance(sample, TrackDataSample) for sample in data_samples):
        return list(data_samples), 1
    clips = [sample.video_data_samples for sample in data_samples]
    lengths = {len(clip) for clip in clips}
    if len(lengths) != 1:
        raise ValueError(f'the clips of a batch need one length, got {sorted(lengths)} frames')
    return [frame for clip in clips for frame in clip], lengths.pop()
