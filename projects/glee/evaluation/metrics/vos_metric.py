"""J and F of video object segmentation with given first masks."""
from abc import abstractmethod

import numpy as np
from mmdet.registry import METRICS

from ...structures.masks import area, decode
from ...structures.track import Track
from ..functional.j_and_f import contour_accuracy, region_similarity
from ..functional.mask_pngs import write_object_maps
from ..functional.video_record import TruthTrack, VideoRecord
from .base_video_metric import VideoMetric


class ObjectJFMetric(VideoMetric):
    """J and F of every given object; a track has the identity of the object it was started from.

    With ``outfile_prefix`` it writes a folder of that name: ``<video>/<frame>.png``, the object's number
    as palette index, as the servers of YouTube-VOS, MOSE and DAVIS want it.

    Args:
        **kwargs: as for ``VideoMetric``.
    """

    @abstractmethod
    def scored_frames(self, video: VideoRecord, truth: TruthTrack, track: Track | None) -> list[int]:
        """Positions of the frames that count for an object; ``track`` is what was found of it."""

    def score_video(self, video: VideoRecord) -> dict:
        """Per object its label and its mean J and F; an object without a track counts as empty masks."""
        tracks = {track.instance_id: track for track in video.tracks}
        objects = []
        for truth in video.truth():
            track, pairs = tracks.get(truth.instance_id), []
            for frame in self.scored_frames(video, truth, track):
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
        write_object_maps(self.folder_of(video), video)


@METRICS.register_module()
class DavisVOSMetric(ObjectJFMetric):
    """J&F, J, F of DAVIS 2017 semi-supervised, also for MOSE (EVAL.md M11).

    J and F are means over the objects of all videos.

    Args:
        skip_first, skip_last (bool): leave out the first or the last annotated frame of the video.
        from_appearance (bool): count an object from the first of these frames that shows it, in the annotation or in
            the result, and not at all if none does in the annotation: the rule of vos-benchmark, for MOSE. DAVIS's
            program counts all frames; an object absent from annotation and result scores 1 there.
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'vos'

    def __init__(self, skip_first: bool = True, skip_last: bool = True, from_appearance: bool = False,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.skip_first, self.skip_last, self.from_appearance = skip_first, skip_last, from_appearance

    def scored_frames(self, video: VideoRecord, truth: TruthTrack, track: Track | None) -> list[int]:
        """The annotated frames but the first and the last."""
        frames = video.annotated
        frames = frames[int(self.skip_first):len(frames) - int(self.skip_last)]
        if not self.from_appearance:
            return frames
        shown = [frame for frame in frames if _has_pixels(truth, frame)]
        if not shown:
            return []
        found = [frame for frame in frames if track is not None and _has_pixels(track, frame)]
        return [frame for frame in frames if frame >= min(shown + found)]

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Means over objects."""
        return _jf_means([obj for video in scores for obj in video['objects']])


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
        ids = [t.instance_id for t in video.truth() if self.scored_frames(video, t, None)]
        for identity, entry in zip(ids, scores['objects']):
            entry['unseen'] = identity in unseen
        return scores

    def scored_frames(self, video: VideoRecord, truth: TruthTrack, track: Track | None) -> list[int]:
        """Annotated frames after the object's first mask."""
        first = next(i for i, rle in enumerate(truth.segmentations) if rle is not None)
        return [frame for frame in video.annotated if frame > first]

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """The four means and G."""
        objects, metrics = [obj for video in scores for obj in video['objects']], {}
        for group, unseen in (('s', False), ('u', True)):
            means = _jf_means([obj for obj in objects if obj['unseen'] == unseen])
            metrics[f'J{group}'], metrics[f'F{group}'] = means['J'], means['F']
        known = [value for value in metrics.values() if value is not None]
        return dict(metrics, G=float(np.mean(known)) if known else None)


def _has_pixels(track: TruthTrack | Track, frame: int) -> bool:
    rle = track.segmentations[frame]
    return rle is not None and bool(area(rle))


def _jf_means(objects: list[dict]) -> dict[str, float | None]:
    """J&F, J and F of some objects; None without any."""
    if not objects:
        return {'J&F': None, 'J': None, 'F': None}
    j, f = (float(np.mean([obj[name] for obj in objects])) for name in 'JF')
    return {'J&F': (j + f) / 2, 'J': j, 'F': f}
