"""How well each frame of a video went, from which a scorer of key frames learns, and how well it has learned (G5)."""
import json
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np
from mmdet.registry import METRICS

from ...evaluation.functional.video_record import VideoRecord
from ...evaluation.metrics.rvos_metric import ExpressionJFMetric


@METRICS.register_module()
class FrameIoUMetric(ExpressionJFMetric):
    """J&F, J and F as of ``ExpressionJFMetric``, and the IoU of every frame, 0 where there is nothing to find: from
    such a frame nothing can be followed.

    Where key frames were chosen by scores (``VideoReasoningSegmentor``), also ``key_order``, the share of pairs of
    frames of an expression with different IoUs of which the better one has the higher score (0.5 is chance), and the
    mean IoU of the frames chosen, ``key_iou``, beside that of all frames, ``mean_iou``.

    Args:
        labels_file: JSON to write for ``AskKeyFrame``, {"{video}_{expression}": [IoU or null per frame]}; null where
            nothing is annotated. None writes none.
        **kwargs: as of ``ExpressionJFMetric``.
    """

    def __init__(self, labels_file: Union[str, Path, None] = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.labels_file = None if labels_file is None else Path(labels_file)

    def score_video(self, video: VideoRecord) -> dict:
        """The measures of every expression, the IoU of every frame, and the scores of the frames; an expression that
        was not found has 0."""
        labels = {}
        for expression, frames in zip(video.info['expressions'], self.frame_masks(video)):
            ious = dict.fromkeys(video.annotated, 0.)
            ious.update({frame: iou_of(found, wanted) for frame, found, wanted in frames or ()})
            labels[f'{video.name}_{expression["exp_id"]}'] = [ious.get(frame) for frame in range(len(video.frames))]
        return dict(super().score_video(video), labels=labels, key_scores=video.info.get('key_scores'))

    def summarise(self, scores: list[dict]) -> dict[str, float]:
        """See the base class; writes the file."""
        if self.labels_file is not None:
            labels = {key: ious for video in scores for key, ious in video['labels'].items()}
            self.labels_file.parent.mkdir(parents=True, exist_ok=True)
            self.labels_file.write_text(json.dumps(labels))
        pairs = [pair for video in scores if video['key_scores'] is not None
                 for pair in zip(video['labels'].values(), video['key_scores']) if pair[1] is not None]
        return dict(super().summarise(scores), **key_frame_measures(pairs))


def iou_of(found: np.ndarray, wanted: np.ndarray) -> float:
    """IoU of bool masks (H, W), 0 of two empty ones."""
    union = int((found | wanted).sum())
    return int((found & wanted).sum()) / union if union else 0.


def key_frame_measures(pairs: Sequence[tuple[Sequence[Optional[float]], Sequence[float]]]) -> dict[str, float]:
    """``key_order``, ``key_iou`` and ``mean_iou`` of expressions, each with IoUs (None where unknown) and scores of its
    frames; none of them without expressions, no ``key_order`` without two frames that differ."""
    right, chosen, means = [], [], []
    for labels, scores in pairs:
        known = [frame for frame, iou in enumerate(labels) if iou is not None]
        ious, values = np.array([labels[frame] for frame in known]), np.array(scores)[known]
        better = ious[:, None] > ious
        right += ((values[:, None] > values) + 0.5 * (values[:, None] == values))[better].tolist()
        chosen.append(float(ious[values.argmax()]))
        means.append(float(ious.mean()))
    found = dict(key_order=right, key_iou=chosen, mean_iou=means)
    return {name: float(np.mean(values)) for name, values in found.items() if values}
