"""How well each frame of a video went, from which a scorer of key frames learns (G5)."""
import json
from pathlib import Path
from typing import Union

from mmdet.registry import METRICS

from ...evaluation.functional.video_record import VideoRecord
from ...evaluation.metrics.rvos_metric import ExpressionJFMetric


@METRICS.register_module()
class FrameIoUMetric(ExpressionJFMetric):
    """J&F, J and F as of ``ExpressionJFMetric``, and a file of the IoU of every frame for ``AskKeyFrame``.

    Args:
        labels_file: JSON to write, {"{video}_{expression}": [IoU or null per frame]}; null where nothing is annotated.
        **kwargs: as of ``ExpressionJFMetric``.
    """

    def __init__(self, labels_file: Union[str, Path], **kwargs) -> None:
        super().__init__(**kwargs)
        self.labels_file = Path(labels_file)

    def score_video(self, video: VideoRecord) -> dict:
        """The measures of every expression, and the IoU of every frame; an expression that was not found has 0."""
        found, labels = self.score_frames(video), {}
        for expression, frames in zip(video.info['expressions'], found):
            ious = dict(zip(video.annotated, [0.] * len(video.annotated) if frames is None else
                            [measures[0] for measures in frames]))
            labels[f'{video.name}_{expression["exp_id"]}'] = [ious.get(frame) for frame in range(len(video.frames))]
        return dict(super().score_video(video), labels=labels)

    def summarise(self, scores: list[dict]) -> dict[str, float]:
        """See the base class; writes the file."""
        labels = {key: ious for video in scores for key, ious in video['labels'].items()}
        self.labels_file.parent.mkdir(parents=True, exist_ok=True)
        self.labels_file.write_text(json.dumps(labels))
        return super().summarise(scores)
