"""J and F of referring video object segmentation."""
from collections import defaultdict
from pathlib import Path
from typing import Iterator

import numpy as np
from mmdet.registry import METRICS
from scipy.optimize import linear_sum_assignment

from ...structures.masks import decode
from ..functional.j_and_f import contour_accuracy, region_similarity
from ..functional.mask_pngs import write_binary_masks, write_sentence_maps
from ..functional.sentence_map import sentence_map
from ..functional.video_record import VideoRecord
from .base_video_metric import VideoMetric

MAX_SENTENCES = 20  # proposals that davis2017-evaluation takes


class ExpressionMetric(VideoMetric):
    """Tracks of expressions: a track's ``label`` is the index of its expression.

    ``video_info['expressions']`` lists, for every expression of ``text``, its ``exp_id`` and the
    ``object_ids`` it refers to. With ``outfile_prefix`` a folder of that name receives
    ``<video>/<exp_id>/<frame>.png`` (0 or 255), as the servers of Ref-YouTube-VOS and MeViS want it.
    """

    default_prefix = 'rvos'

    def masks(self, video: VideoRecord, segmentations: list | None, frame: int) -> np.ndarray:
        """Bool mask of a track in a frame, empty without a track."""
        return decode(segmentations and segmentations[frame], video.frames[frame]['ori_shape'])

    def submission(self, video: VideoRecord) -> None:
        """Write the video's PNG files at once: nothing is kept in memory."""
        self._write_masks(self.folder_of(video), video)

    def _write_masks(self, folder: Path, video: VideoRecord) -> None:
        """``<folder>/<exp_id>/<frame>.png`` of every track."""
        for track in video.tracks:
            write_binary_masks(folder / str(video.info['expressions'][track.label]['exp_id']), video, track)


@METRICS.register_module()
class ExpressionJFMetric(ExpressionMetric):
    """J&F, J, F of MeViS, Ref-YouTube-VOS and GLUS's Ref-DAVIS (EVAL.md M14).

    Per expression the union of its objects is the target; J and F are means over all annotated frames,
    then over expressions. An expression without a track counts 0, as with MeViS.

    Args:
        **kwargs: as for ``VideoMetric``.
    """

    measures = ('J', 'F')

    def score_video(self, video: VideoRecord) -> dict:
        """The measures of every expression."""
        nothing = (0.0, ) * len(self.measures)
        return dict(expressions=[nothing if frames is None else tuple(np.mean(frames, 0).tolist())
                                 for frames in self.score_frames(video)])

    def score_frames(self, video: VideoRecord) -> list[list[tuple] | None]:
        """The measures of every annotated frame for every expression; None for one without a track."""
        return [masks and [self.score_frame(video, *frame) for frame in masks] for masks in self.frame_masks(video)]

    def frame_masks(self, video: VideoRecord) -> Iterator[list[tuple[int, np.ndarray, np.ndarray]] | None]:
        """Every annotated frame with what was found and what is wanted in it, bool (H, W), of every expression; None
        for one without a track."""
        truth = {t.instance_id: t.segmentations for t in video.truth()}
        tracks = {track.label: track.segmentations for track in video.tracks}
        for label, expression in enumerate(video.info['expressions']):
            if label not in tracks:
                yield None
                continue
            frames = []
            for frame in video.annotated:
                wanted = np.zeros(video.frames[frame]['ori_shape'], bool)
                for identity in expression['object_ids']:
                    wanted |= self.masks(video, truth.get(identity), frame)
                frames.append((frame, self.masks(video, tracks[label], frame), wanted))
            yield frames

    def score_frame(self, video: VideoRecord, frame: int, found: np.ndarray, wanted: np.ndarray) -> tuple:
        """The measures of one frame, from bool masks (H, W)."""
        return region_similarity(found, wanted), contour_accuracy(found, wanted)

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Means over the expressions of all videos."""
        return jf_means([pair for video in scores for pair in video['expressions']])


@METRICS.register_module()
class RefDavisMetric(ExpressionMetric):
    """J&F, J, F of Ref-DAVIS17 (EVAL.md M12).

    The protocol of DAVIS 2017 unsupervised: the sentences of a video are painted into one map per frame
    (``sentence_map``), void pixels are removed, and sentences are assigned to objects by the best sum of mean (J+F)/2
    over all annotated frames; means over objects. Objects are 1 to the largest number of the first annotated frame,
    with or without a sentence; J and F of an object that no sentence is left for are those of an empty mask. Each
    annotator (``video_info['annotator']``) is a run of its own; the result is the mean of the runs.

    With ``outfile_prefix`` it writes ``anno_<n>/<video>/<frame>.png``, the maps, which davis2017-evaluation reads, and
    ``annotator_<n>/<video>/<exp_id>/<frame>.png``, the mask of each sentence alone.

    Args:
        **kwargs: as for ``VideoMetric``.

    Raises:
        ValueError: more than 20 sentences of a video were found, for which DAVIS's program stops.
    """

    def submission(self, video: VideoRecord) -> None:
        """Write the PNG files; annotators share the names of videos and expressions, so each has folders."""
        annotator = video.info.get('annotator', 0)
        self._write_masks(self.folder_of(video, f'annotator_{annotator}'), video)
        write_sentence_maps(self.folder_of(video, f'anno_{annotator}'), video)

    def score_video(self, video: VideoRecord) -> dict:
        """J and F of every object of the video."""
        truth = {video.number_of(track.instance_id): track.segmentations for track in video.truth()}
        first = video.frames[video.annotated[0]]['instances']
        count = max((video.number_of(row['instance_id']) for row in first), default=0)
        maps = [sentence_map(video, frame) for frame in video.annotated]
        found = max(int(numbers.max()) for numbers in maps)
        if found > MAX_SENTENCES:
            raise ValueError(f'video {video.name}: sentence {found} has a mask, and DAVIS\'s program takes '
                             f'{MAX_SENTENCES} per video')
        j, f = np.zeros((2, max(found, count), count, len(maps)))
        for column, (frame, numbers) in enumerate(zip(video.annotated, maps)):
            counts = ~decode(video.frames[frame]['void'], video.frames[frame]['ori_shape'])
            wanted = [self.masks(video, truth.get(number), frame) & counts for number in range(1, count + 1)]
            for row in range(len(j)):
                mask = (numbers == row + 1) & counts
                for number, target in enumerate(wanted):
                    j[row, number, column] = region_similarity(mask, target)
                    f[row, number, column] = contour_accuracy(mask, target)
        j, f = j.mean(-1), f.mean(-1)
        rows, columns = linear_sum_assignment(-(j + f) / 2)
        return dict(annotator=str(video.info.get('annotator', 0)),
                    objects=[(float(j[r, c]), float(f[r, c])) for r, c in zip(rows, columns)])

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Means over the objects of each annotator's run, then over the runs."""
        runs = defaultdict(list)
        for video in scores:
            runs[video['annotator']] += video['objects']
        means = [np.mean(objects, 0) for objects in runs.values() if objects]
        return jf_means(means)


def jf_means(pairs: list) -> dict[str, float | None]:
    """J&F, J and F of some pairs (J, F); None without any."""
    if not pairs:
        return {'J&F': None, 'J': None, 'F': None}
    j, f = np.mean(pairs, 0).tolist()
    return {'J&F': (j + f) / 2, 'J': j, 'F': f}
