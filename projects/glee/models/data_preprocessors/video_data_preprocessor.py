"""Clips to padded, normalised batches."""
from mmdet.registry import MODELS
from mmdet.structures import TrackDataSample

from ...structures.clips import flatten_clips
from .data_preprocessor import GLEEDataPreprocessor, check_samples


@MODELS.register_module()
class GLEEVideoDataPreprocessor(GLEEDataPreprocessor):
    """``GLEEDataPreprocessor`` for images and for clips.

    A clip is (T, 3, H, W) with a ``TrackDataSample``; frames are smaller than that where their ``input_shape``
    (``PackClip``), else their ``img_shape``, says so. All frames of a batch are normalised, then padded to one
    size. Batch augments get the clips.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Batch of the loader to ``inputs`` (N, T, 3, H, W), for images (N, 3, H, W), and ``data_samples``."""
        clips = data.get('data_samples')
        if not clips or not isinstance(clips[0], TrackDataSample):
            return super().forward(data, training)
        frames, num_frames = flatten_clips(clips)
        check_samples(frames, training)
        pictures = [picture for clip in data['inputs'] for picture in clip]
        sizes = [frame.get('input_shape', frame.img_shape)[:2] for frame in frames]
        pictures = [picture[:, :height, :width] for picture, (height, width) in zip(pictures, sizes)]
        batch = super().forward(dict(inputs=pictures, data_samples=frames), training=False)
        for number, clip in enumerate(clips):
            clip.video_data_samples = batch['data_samples'][number * num_frames:(number + 1) * num_frames]
        inputs, clips = batch['inputs'].unflatten(0, (len(clips), num_frames)), list(clips)
        if training:
            if self.pad_mask:
                self.pad_gt_masks(batch['data_samples'])
            for augment in self.batch_augments or ():
                inputs, clips = augment(inputs, clips)
        return dict(inputs=inputs, data_samples=clips)
