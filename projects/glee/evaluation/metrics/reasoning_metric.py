"""ReVOS and ReasonVOS: sentences about videos that have to be reasoned about (EVAL.md M14)."""
import logging

import numpy as np
from mmdet.registry import METRICS
from mmengine.logging import print_log

from ...structures.masks import decode
from ..functional.video_record import VideoRecord
from .rvos_metric import ExpressionJFMetric, jf_means

TYPES = dict(referring=0, reasoning=1)  # ReVOS's type_id; 2, of which nothing is in the video, counts nowhere


@METRICS.register_module()
class ReVOSMetric(ExpressionJFMetric):
    """J&F, J, F, A and R of ReVOS, each also of its two types, ``referring_...`` and ``reasoning_...``.

    A is the share of pixels that are right. R, the robustness, is 1 minus the wrong pixels relative to those of the
    frame's foreground, at least 0. All are means over the frames of an expression, rounded to 0.01 %, then over the
    expressions of a type; the overall numbers are the means of the two types'. An expression without a track counts 0.
    Masks are true or false here; the official program takes A and R of the numbers in the files, which are to be 0 and
    1 for it.

    Args:
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'revos'
    measures = ('J', 'F', 'A', 'R')

    def score_video(self, video: VideoRecord) -> dict:
        """The measures of every expression and its type."""
        return dict(super().score_video(video), types=[row['type_id'] for row in video.info['expressions']])

    def score_frame(self, video: VideoRecord, frame: int, found: np.ndarray, wanted: np.ndarray) -> tuple:
        """J, F, A and R of one frame."""
        wrong, foreground = np.count_nonzero(found & ~wanted), np.count_nonzero(self._foreground(video, frame))
        return (*super().score_frame(video, frame, found, wanted), float(np.mean(found == wanted)),
                max(1 - wrong / (foreground + 1e-6), 0.0))

    def _foreground(self, video: VideoRecord, frame: int) -> np.ndarray:
        """Of the file, or all objects of the frame."""
        content = video.frames[frame]
        given = content.get('foreground')
        masks = [given] if given is not None else [row.get('mask') for row in content['instances']]
        united = np.zeros(content['ori_shape'], bool)
        for mask in masks:
            united |= decode(mask, content['ori_shape'])
        return united

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Means over the expressions of each type, and over the types."""
        pairs = [(kind, row) for video in scores for kind, row in zip(video['types'], video['expressions'])]
        means = {}
        for name, number in TYPES.items():
            rows = [np.round(100 * np.array(row), 2) / 100 for kind, row in pairs if kind == number]
            values = np.mean(rows, 0).tolist() if rows else [None] * len(self.measures)
            means.update({f'{name}_{measure}': value for measure, value in zip(self.measures, values)})
            means[f'{name}_J&F'] = (values[0] + values[1]) / 2 if rows else None
        overall = {}
        for measure in ('J&F', *self.measures):
            both = [means[f'{name}_{measure}'] for name in TYPES]
            overall[measure] = None if None in both else sum(both) / 2
        return {**overall, **means}


@METRICS.register_module()
class ReasonVOSMetric(ExpressionJFMetric):
    """J&F, J, F of ReasonVOS: means over the frames of an expression, then over expressions.

    A video without any track is left out, as its program leaves out videos without result files; how many is said. An
    expression without a track in a video with others counts 0.

    Args:
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'reason_vos'

    def score_video(self, video: VideoRecord) -> dict:
        """J and F of every expression; none of a video that is left out."""
        return super().score_video(video) if video.tracks else dict(expressions=[])

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Means over the expressions of all videos with a track."""
        skipped = sum(not video['expressions'] for video in scores)
        if skipped:
            print_log(f'ReasonVOSMetric: {skipped} of {len(scores)} videos have no track and are left out, as the '
                      'benchmark does', logger='current', level=logging.WARNING)
        return jf_means([pair for video in scores for pair in video['expressions']])
