"""The GLEE detector on videos."""
import logging
from typing import Callable, Sequence

from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, TrackDataSample
from mmengine.logging import print_log
from torch import Tensor

from ...structures.clips import flatten_clips
from ...structures.track import track_instances
from ..trackers.base_tracker import GLEETracker
from .glee import GLEE


@MODELS.register_module()
class GLEEVideo(GLEE):
    """``GLEE`` with a tracker; without a trajectory head it adds no parameters, so every GLEE checkpoint fits.

    Training takes clips as so many images and adds the tracking loss. Testing takes a video in
    consecutive windows of frames (``WindowSampler``), of which only the present one is in memory, and
    gives the tracks with the last of them. Images are treated as by ``GLEE``.

    Args:
        tracker (dict): config of the tracker.
        trajectory_head (dict | None): config of what scores sentences about motion (``TrajectoryTracker``).
        **kwargs: as for ``GLEE``.
    """

    def __init__(self, *args, tracker: dict = dict(type='MinVISTracker'), trajectory_head: dict | None = None,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.trajectory_head = None if trajectory_head is None else MODELS.build(trajectory_head)
        self.tracker: GLEETracker = MODELS.build(tracker)
        self._awaited: tuple | None = None
        self._warned = False

    def _apply(self, fn: Callable[[Tensor], Tensor], *args, **kwargs) -> 'GLEEVideo':
        """Move what the tracker keeps of an unfinished video with the weights (``.to``, ``.half``, ...)."""
        super()._apply(fn, *args, **kwargs)
        self.tracker.apply(fn)
        return self

    def loss(self, batch_inputs: Tensor,
             batch_data_samples: Sequence[DetDataSample | TrackDataSample]) -> dict[str, Tensor]:
        """Losses of images (N, 3, H, W) or clips (N, T, 3, H, W)."""
        if batch_inputs.dim() == 4:
            losses = super().loss(batch_inputs, batch_data_samples)
        else:
            frames, _ = flatten_clips(batch_data_samples)
            feats, _, *objects = self._head_inputs(batch_inputs.flatten(0, 1), frames)
            losses = self.panoptic_head.loss(feats, batch_data_samples, *objects)
        if self.trajectory_head is not None:  # in the graph, so that every rank reduces the same set
            losses['loss_idle'] = losses['loss_idle'] + sum(p.sum() for p in self.trajectory_head.parameters()) * 0.
        return losses

    def predict(self, batch_inputs: Tensor, batch_data_samples: Sequence, rescale: bool = True,
                max_per_img: int | None = None) -> Sequence:
        """Track through the next window of each video.

        Args:
            batch_inputs (Tensor): (N, T, 3, H, W), or images (N, 3, H, W).
            batch_data_samples (Sequence): ``TrackDataSample`` whose frames carry ``video_id``,
                ``frame_id`` and ``ori_video_length``.

        Returns:
            Sequence: the samples; that with a video's last frame has ``pred_tracks``, a list of ``Track``. Frames of a
            sample that is a whole video also have ``pred_track_instances`` (``track_instances``), which mmdet's metrics
            read.

        Raises:
            ValueError: a window is not the one that follows the previous window, or the model gives no masks.
        """
        if batch_inputs.dim() == 4:
            return super().predict(batch_inputs, batch_data_samples, rescale, max_per_img)
        self.panoptic_fusion_head.require_masks()
        for inputs, clip in zip(batch_inputs, batch_data_samples):
            first, last = clip[0], clip[len(clip) - 1]
            self._check_order(first)
            self._warn_of_parts(first)
            if first.frame_id == 0:
                self.tracker.start()
            for frame in clip:
                self._find_text(frame)
            self.tracker.update(self, inputs, clip.video_data_samples)
            self._awaited = (last.video_id, last.frame_id + 1)
            if last.frame_id == last.ori_video_length - 1:
                clip.pred_tracks = self.tracker.finish(self)
                if first.frame_id == 0:
                    for frame in clip:
                        frame.pred_track_instances = track_instances(
                            clip.pred_tracks, frame.frame_id, frame.ori_shape[:2])
        return batch_data_samples

    def _check_order(self, first: DetDataSample) -> None:
        if first.frame_id and self._awaited != (first.video_id, first.frame_id):
            raise ValueError(
                f'video {first.video_id} goes on with frame {first.frame_id}, but (video, frame) '
                f'{self._awaited} comes next: test with WindowSampler and batch_size=1')

    def _warn_of_parts(self, frame: DetDataSample) -> None:
        """Say once that mmdet's metrics cannot read a video that mmdet's sampler gives frame by frame."""
        if frame.get('video_length', frame.ori_video_length) < frame.ori_video_length and not self._warned:
            self._warned = True
            print_log("tracks come with the last frame of a video and its frames have no pred_track_instances: mmdet's "
                      "metrics need whole videos, with sampler=dict(type='DefaultSampler', shuffle=False)",
                      logger='current', level=logging.WARNING)
