"""TETA on TAO."""
from collections import defaultdict

import numpy as np
from mmdet.registry import METRICS

from ..functional.frames_of_tracks import annotated, associate, visible
from ..functional.teta import LabelledFrames, TETACounts, count_video, teta
from ..functional.video_record import VideoRecord
from .base_video_metric import VideoMetric, dump_json


@METRICS.register_module()
class TETAMetric(VideoMetric):
    """TETA, LocA, AssocA, ClsA of TAO (EVAL.md M15).

    The time steps of a video are its images with at least one annotation; boxes elsewhere do not count.

    With ``outfile_prefix`` it writes ``{prefix}.json``, TAO's list of boxes (image_id, video_id, track_id,
    category_id, bbox xywh, score).

    Args:
        max_per_frame (int | None): best tracks of a frame that count; the official default has no limit.
        iou_type (str): 'bbox' as officially, or 'segm'.
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'tao'

    def __init__(self, max_per_frame: int | None = None, iou_type: str = 'bbox', **kwargs) -> None:
        super().__init__(**kwargs)
        self.max_per_frame = max_per_frame
        self.field = dict(bbox='bboxes', segm='segmentations')[iou_type]

    def score_video(self, video: VideoRecord) -> dict[int, TETACounts]:
        """Counts of every category."""
        truth = [track for track in video.truth() if not track.ignore]
        merged = np.array(self.dataset_meta.get('merged_labels') or range(len(self.dataset_meta['classes'])))
        labels = [merged[np.array([t.label for t in tracks], int)] for tracks in (truth, video.tracks)]
        steps = [frame for frame in video.annotated if video.frames[frame]['instances']]
        seen = annotated(video, truth, steps, self.field)
        found = visible(video.tracks, steps, self.field, self.max_per_frame)
        if self.field == 'bboxes':
            found = found._replace(shapes=[[_corners(_xywh(box)) for box in boxes] for boxes in found.shapes])
        return count_video(LabelledFrames(
            associate(seen, found, self.field), [labels[0][rows] for rows in seen.rows],
            [labels[1][rows] for rows in found.rows]))

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Sums over videos, then means over categories."""
        totals: dict[int, TETACounts] = defaultdict(TETACounts)
        for video in scores:
            for label, counts in video.items():
                for name, values in vars(counts).items():
                    setattr(totals[label], name, getattr(totals[label], name) + values)
        return teta(totals)

    def submission(self, video: VideoRecord) -> list[dict]:
        """Boxes of all frames."""
        ids, rows = self.dataset_meta['category_ids'], []
        for number, track in enumerate(video.tracks):
            for frame, box in zip(video.frames, track.bboxes):
                if box is not None:
                    rows.append(dict(image_id=frame['img_id'], video_id=video.video_id, track_id=number + 1,
                                     category_id=ids[track.label], bbox=_xywh(box), score=float(track.score)))
        return rows

    def write(self, submissions: list) -> None:
        """One list; track ids become unique over all videos, as TAO's own tools require."""
        content, offset = [], 0
        for rows in submissions:
            content += [dict(row, track_id=row['track_id'] + offset) for row in rows]
            offset += max((row['track_id'] for row in rows), default=0)
        dump_json(content, f'{self.outfile_prefix}.json')


def _xywh(box: list) -> list[float]:
    """The box of the result file."""
    x1, y1, x2, y2 = map(float, box)
    return [x1, y1, x2 - x1, y2 - y1]


def _corners(box: list[float]) -> list[float]:
    """What a program makes of a box of the result file: its corners may differ from ours in the last bit."""
    x, y, width, height = box
    return [x, y, x + width, y + height]
