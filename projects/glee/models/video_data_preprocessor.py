"""Clips to padded, normalised batches."""
from mmdet.registry import MODELS
from mmdet.structures import TrackDataSample

from .clips import flatten_clips
from .data_preprocessor import GLEEDataPreprocessor


@MODELS.register_module()
class GLEEVideoDataPreprocessor(GLEEDataPreprocessor):
    """``GLEEDataPreprocessor`` for images and for clips.

    A clip is a list of T pictures (3, H, W), whose sizes may differ, with a ``TrackDataSample``. All
    frames of a batch are normalised, padded to one size and share one vocabulary.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Batch of the loader to ``inputs`` (N, T, 3, H, W), for images (N, 3, H, W), and ``data_samples``."""
        clips = data.get('data_samples')
        if not clips or not isinstance(clips[0], TrackDataSample):
            return super().forward(data, training)
        frames, num_frames = flatten_clips(clips)
        pictures = [picture for clip in data['inputs'] for picture in clip]
        batch = super().forward(dict(inputs=pictures, data_samples=frames), training)
        for number, clip in enumerate(clips):
            clip.video_data_samples = batch['data_samples'][number * num_frames:(number + 1) * num_frames]
        return dict(inputs=batch['inputs'].unflatten(0, (len(clips), num_frames)), data_samples=list(clips))
