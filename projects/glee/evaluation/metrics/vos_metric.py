"""J and F of video object segmentation with given first masks."""
from abc import abstractmethod
from collections import defaultdict
from pathlib import Path

import numpy as np
from mmdet.registry import METRICS

from ...structures.masks import decode
from ..functional.mask_similarity import contour_accuracy, region_similarity
from ..functional.png_tree import write_object_maps
from ..functional.video_record import TruthTrack, VideoRecord
from .video_metric import VideoMetric


class ObjectJFMetric(VideoMetric):
    """J and F of every given object; a track has the identity of the object it was started from.

    With ``outfile_prefix`` it writes a folder of that name: ``<video>/<frame>.png``, the object's number
    as palette index, as the servers of YouTube-VOS, MOSE and DAVIS want it.

    Args:
        **kwargs: as for ``VideoMetric``.
    """

    @abstractmethod
    def scored_frames(self, video: VideoRecord, truth: TruthTrack) -> list[int]:
        """Positions of the frames that count for an object."""

    def score_video(self, video: VideoRecord) -> dict:
        """Per object its label and its mean J and F; an object without a track counts as empty masks."""
        tracks = {track.instance_id: track for track in video.tracks}
        objects = []
        for truth in video.truth():
            track, pairs = tracks.get(truth.instance_id), []
            for frame in self.scored_frames(video, truth):
                shape = video.frames[frame]['ori_shape']
                wanted = decode(truth.segmentations[frame], shape)
                found = decode(None if track is None else track.segmentations[frame], shape)
                pairs.append((region_similarity(found, wanted), contour_accuracy(found, wanted)))
            if pairs:
                j, f = np.mean(pairs, 0)
                objects.append(dict(label=truth.label, J=float(j), F=float(f)))
        return dict(objects=objects)

    def submission(self, video: VideoRecord) -> None:
        """Write the video's PNG files at once: nothing is kept in memory."""
        write_object_maps(Path(self.outfile_prefix) / video.name, video)


@METRICS.register_module()
class DavisVOSMetric(ObjectJFMetric):
    """J&F, J, F of DAVIS 2017 semi-supervised, also for MOSE (EVAL.md M11).

    The first and the last frame do not count; J and F are means over the objects of all videos.

    Args:
        skip_first, skip_last (bool): leave out that frame of the video.
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'vos'

    def __init__(self, skip_first: bool = True, skip_last: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.skip_first, self.skip_last = skip_first, skip_last

    def scored_frames(self, video: VideoRecord, truth: TruthTrack) -> list[int]:
        """All annotated frames but the first and the last."""
        frames = video.annotated
        return frames[int(self.skip_first):len(frames) - int(self.skip_last)]

    def summarise(self, scores: list[dict]) -> dict[str, float]:
        """Means over objects."""
        j, f = _means([obj for video in scores for obj in video['objects']])
        return {'J&F': (j + f) / 2, 'J': j, 'F': f}


@METRICS.register_module()
class YouTubeVOSMetric(ObjectJFMetric):
    """G, Js, Fs, Ju, Fu of YouTube-VOS, a local approximation (EVAL.md M13).

    The server's annotations are hidden, so its exact rules cannot be confirmed: here an object is
    scored in the annotated frames after that of its first mask, J and F are means over the objects of
    seen and of unseen categories, and G is the mean of the four (of those that exist).

    Args:
        **kwargs: as for ``VideoMetric``. Unseen categories are those named in ``video_info['unseen']``
            (ids of the objects).
    """

    default_prefix = 'vos'

    def score_video(self, video: VideoRecord) -> dict:
        """J and F per object with whether its category is unseen."""
        unseen = set(video.info.get('unseen', ()))
        scores = super().score_video(video)
        ids = [t.instance_id for t in video.truth() if self.scored_frames(video, t)]
        for identity, entry in zip(ids, scores['objects']):
            entry['unseen'] = identity in unseen
        return scores

    def scored_frames(self, video: VideoRecord, truth: TruthTrack) -> list[int]:
        """Annotated frames after the object's first mask."""
        first = next(i for i, rle in enumerate(truth.segmentations) if rle is not None)
        return [frame for frame in video.annotated if frame > first]

    def summarise(self, scores: list[dict]) -> dict[str, float]:
        """The four means and G."""
        groups = defaultdict(list)
        for video in scores:
            for obj in video['objects']:
                groups['u' if obj['unseen'] else 's'].append(obj)
        metrics = {}
        for group in 'su':
            if groups[group]:
                metrics[f'J{group}'], metrics[f'F{group}'] = _means(groups[group])
        metrics['G'] = float(np.mean(list(metrics.values()))) if metrics else 0.0
        return metrics


def _means(objects: list[dict]) -> tuple[float, float]:
    if not objects:
        return 0.0, 0.0
    return float(np.mean([o['J'] for o in objects])), float(np.mean([o['F'] for o in objects]))
