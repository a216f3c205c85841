"""Multi-object tracking and segmentation on BDD100K."""
import numpy as np
from mmdet.registry import METRICS
from trackeval.metrics import CLEAR, HOTA, Identity

from ...structures.masks import intersections
from ..functional.association import drop_in_ignored_regions
from ..functional.frames_of_tracks import annotated, associate, of_class, visible
from ..functional.track_overlap import box_ious
from ..functional.video_record import VideoRecord
from .base_video_metric import VideoMetric, dump_json


@METRICS.register_module()
class BDDTrackMetric(VideoMetric):
    """mMOTA, mIDF1 and mHOTA of boxes, or mMOTSA and the same of masks (EVAL.md M17).

    CLEAR, Identity and HOTA are trackeval's, at IoU 0.5; counts are summed over videos per category and
    the results averaged over the categories with an object. Unmatched tracks that lie by more than half
    in an ignored region (objects with ``ignore_flag``) do not count.

    With ``outfile_prefix`` it writes ``{prefix}.json``: BDD100K's list of frames with ``labels``.

    Args:
        iou_type (str): 'bbox' (box tracks) or 'segm' (segmentation tracks).
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'bdd'

    def __init__(self, iou_type: str = 'bbox', **kwargs) -> None:
        super().__init__(**kwargs)
        self.field = dict(bbox='bboxes', segm='segmentations')[iou_type]
        self.names = dict(mHOTA=(HOTA(), 'HOTA'), mIDF1=(Identity(dict(PRINT_CONFIG=False)), 'IDF1'))
        self.names['mMOTA' if iou_type == 'bbox' else 'mMOTSA'] = (CLEAR(dict(PRINT_CONFIG=False)), 'MOTA')

    def score_video(self, video: VideoRecord) -> dict[int, dict]:
        """Counts of each program, per category."""
        truth, regions = [[t for t in video.truth() if t.ignore == ignore] for ignore in (False, True)]
        frames = video.annotated
        seen, ignored = (annotated(video, objects, frames, self.field) for objects in (truth, regions))
        found = visible(video.tracks, frames, self.field)
        whole = associate(seen, found, self.field)
        labels = [np.array([t.label for t in tracks], int) for tracks in (truth, video.tracks)]
        shares = [self._shares(*shapes) for shapes in zip(found.shapes, ignored.shapes)]
        scores = {}
        for label in np.union1d(*labels).tolist():
            own = [share[labels[1][rows] == label] for share, rows in zip(shares, found.rows)]
            part = drop_in_ignored_regions(of_class(whole, *labels, label), own).to_trackeval()
            scores[label] = {name: program.eval_sequence(part) for name, (program, _) in self.names.items()}
        return scores

    def _shares(self, tracks: list, regions: list) -> np.ndarray:
        """Share of each track's area in each ignored region of a frame."""
        if self.field == 'bboxes':
            return box_ious(tracks, regions, of_first=True)
        areas = intersections(tracks, tracks).diagonal() if tracks else np.zeros(0)
        return intersections(tracks, regions) / np.maximum(areas, 1)[:, None]

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Sums over videos, then means over categories."""
        metrics = {}
        labels = sorted({label for video in scores for label in video})
        for name, (program, field) in self.names.items():
            values = []
            for label in labels:
                parts = [video[label][name] for video in scores if label in video]
                combined = program.combine_sequences({str(i): part for i, part in enumerate(parts)})
                if self._has_objects(combined):
                    values.append(float(np.mean(combined[field])))
            metrics[name] = float(np.mean(values)) if values else None
        return metrics

    @staticmethod
    def _has_objects(combined: dict) -> bool:
        """Whether a category has an object in some video; each program counts under its own names."""
        return any(np.any(combined[key] > 0) for key in combined
                   if key in ('HOTA_TP', 'HOTA_FN', 'IDTP', 'IDFN', 'CLR_TP', 'CLR_FN'))

    def submission(self, video: VideoRecord) -> list[dict]:
        """Frames with their labels."""
        classes, frames = self.dataset_meta['classes'], []
        for frame in range(len(video.frames)):
            labels = []
            for number, track in enumerate(video.tracks):
                if getattr(track, self.field)[frame] is None:
                    continue
                label = dict(id=str(number + 1), category=classes[track.label], score=float(track.score))
                if self.field == 'bboxes':
                    label['box2d'] = dict(zip(('x1', 'y1', 'x2', 'y2'), map(float, track.bboxes[frame])))
                else:
                    label['rle'] = track.segmentations[frame]
                labels.append(label)
            frames.append(dict(name=str(video.frames[frame]['img_path']).rsplit('/', 1)[-1], videoName=video.name,
                               frameIndex=frame, labels=labels))
        return frames

    def write(self, submissions: list) -> None:
        """``{prefix}.json``."""
        dump_json([frame for frames in submissions for frame in frames], f'{self.outfile_prefix}.json')
