"""Average precision of video instance segmentation."""
import zipfile
from typing import Sequence

import numpy as np
from mmdet.registry import METRICS

from ..functional.track_ap import ClassMatches, average_precision, match_tracks
from ..functional.track_overlap import mean_area, track_ious
from ..functional.video_record import VideoRecord
from .base_video_metric import VideoMetric, dump_json

MAX_DETS = 100


@METRICS.register_module()
class VISMetric(VideoMetric):
    """AP of YouTube-VIS, OVIS, UVO and, with ``subsets``, LV-VIS (EVAL.md M7, M8).

    Unlike mmdet's ``YouTubeVISMetric``, objects fall into size ranges as officially, any instance ids will do, and
    windows of a video are accepted. The size of an object is what the file says (``video_info['object_areas']``), else
    the mean area of its masks; that of a track is measured.

    It gives AP, AP50, AP75, APs, APm, APl, AR1, AR10 and ``AP_<subset>``, without those of which nothing is annotated.
    With ``outfile_prefix`` it writes ``{prefix}.json`` (the benchmark's results.json) and, ready for its
    server, ``{prefix}.zip`` with that file inside.

    Args:
        area_ranges (dict): bounds of the mean mask area in pixels.
        subsets (dict[str, Sequence[int]] | None): groups of categories by their ``partition`` in the
            annotation file, e.g. ``dict(base=(0, 1), novel=(2, 3))``.
        ignore_crowd (bool): a crowd need not be found; LV-VIS's own program counts it (False). Either way
            several tracks may match it, and each is a hit where it counts: recall may then exceed 1.
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'vis'

    def __init__(self,
                 area_ranges: dict = dict(s=(0, 128**2), m=(128**2, 256**2), l=(256**2, 1e10)),
                 subsets: dict[str, Sequence[int]] | None = None,
                 ignore_crowd: bool = True,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.area_ranges = {'': (0, 1e10), **area_ranges}
        self.subsets = subsets or {}
        self.ignore_crowd = ignore_crowd

    def is_scored(self, video: VideoRecord) -> bool:
        """Not where all objects are annotated with boxes alone."""
        truth = video.truth()
        return super().is_scored(video) and (not truth or any(mask for t in truth for mask in t.segmentations))

    def score_video(self, video: VideoRecord) -> dict:
        """Matches per category and size range."""
        truth = video.truth()
        labels = sorted({track.label for track in truth} | {track.label for track in video.tracks})
        areas = video.info.get('object_areas', {})
        return {label: self._score_class([t for t in truth if t.label == label],
                                         [t for t in video.tracks if t.label == label], areas) for label in labels}

    def _score_class(self, truth: list, tracks: list, object_areas: dict[str, float]) -> dict[str, ClassMatches]:
        tracks = sorted(tracks, key=lambda track: -track.score)[:MAX_DETS]
        ious = track_ious([t.segmentations for t in tracks], [t.segmentations for t in truth])
        track_areas = [mean_area(t.segmentations) for t in tracks]
        areas = [object_areas.get(str(t.instance_id), mean_area(t.segmentations)) for t in truth]
        crowd = [t.ignore for t in truth]
        matches = {}
        for name, (low, high) in self.area_ranges.items():
            ignored = [c and self.ignore_crowd or not low <= area <= high for c, area in zip(crowd, areas)]
            outside = [not low <= area <= high for area in track_areas]
            matches[name] = match_tracks(ious, [t.score for t in tracks], ignored, outside, crowd)
        return matches

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Mean over the categories with an object to find."""
        classes = range(len(self.dataset_meta['classes']))
        found = {name: {label: average_precision([video[label][name] for video in scores if label in video])
                        for label in classes} for name in self.area_ranges}
        found = {name: {label: value for label, value in values.items() if value is not None}
                 for name, values in found.items()}
        precision = {label: value[0] for label, value in found[''].items()}
        metrics = dict(AP=_mean(precision.values()), AP50=_mean(p[0] for p in precision.values()),
                       AP75=_mean(p[5] for p in precision.values()))
        for name in self.area_ranges:
            if name:
                metrics[f'AP{name}'] = _mean(value[0] for value in found[name].values())
        for count in (1, 10):
            limited = (average_precision([_first(video[label][''], count) for video in scores if label in video])
                       for label in precision)
            metrics[f'AR{count}'] = _mean(value[1] for value in limited)
        partition = self.dataset_meta.get('partition')
        for subset, members in self.subsets.items():
            if partition is None:
                raise ValueError(f'VISMetric: subset {subset!r} needs `partition` of every category in the '
                                 'annotation file')
            metrics[f'AP_{subset}'] = _mean(precision[label] for label in precision if partition[label] in members)
        return metrics

    def submission(self, video: VideoRecord) -> list[dict]:
        """Rows of results.json."""
        ids = self.dataset_meta['category_ids']
        return [dict(video_id=video.video_id, score=track.score, category_id=ids[track.label],
                     segmentations=track.segmentations) for track in video.tracks]

    def write(self, submissions: list) -> None:
        """``{prefix}.json`` and ``{prefix}.zip``."""
        path = dump_json([row for rows in submissions for row in rows], f'{self.outfile_prefix}.json')
        with zipfile.ZipFile(path.with_suffix('.zip'), 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, 'results.json')


def _first(matches: ClassMatches, count: int) -> ClassMatches:
    """The best ``count`` tracks of the video; greedy matching does not depend on the others."""
    return ClassMatches(matches.scores[:count], matches.matched[:, :count], matches.ignored[:, :count],
                        matches.num_truth)


def _mean(values) -> float | None:
    values = list(values)
    return float(np.mean(values)) if values else None
