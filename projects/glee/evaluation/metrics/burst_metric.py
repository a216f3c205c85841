"""HOTA and track mAP of BURST."""
from typing import Sequence

import numpy as np
from mmdet.registry import METRICS
from trackeval.datasets import TAO_OW
from trackeval.metrics import HOTA

from ...datasets.store.json_file import other_spelling
from ..functional.association import EPS, Association, apply_federation
from ..functional.frames_of_tracks import VisibleObjects, annotated, associate, of_class, visible
from ..functional.track_ap import average_precision, match_tracks
from ..functional.track_overlap import track_ious
from ..functional.video_record import VideoRecord
from .base_video_metric import VideoMetric, dump_json

# As TrackMAP makes them: the last ones lie above 0.85, 0.9 and 0.95 by more than its tolerance.
IOU_THRESHOLDS = np.arange(0.5, 0.96, 0.05)


def tao_common_ids() -> set[int]:
    """TAO's ids of the 78 categories that COCO shares, as trackeval lists them."""
    return _tao_lists().knowns


def tao_distractor_ids() -> set[int]:
    """TAO's ids of the 45 categories that BURST does not score, as trackeval lists them."""
    return _tao_lists().distractors


def _tao_lists() -> TAO_OW:
    lists = TAO_OW.__new__(TAO_OW)
    lists.gt_data = dict(categories=[])
    lists._split_known_unknown_distractor()
    return lists


def is_listed(category: int | str, ids: set) -> bool:
    """Whether a list of ids has a category, which a file may spell "5" for 5."""
    return category in ids or other_spelling(category) in ids


def shown_masks(objects: VisibleObjects) -> dict[int, list]:
    """Per track (position) that is seen at all its masks in the annotated frames, None where there is none.

    The order is that of the first appearance. Tracks without a mask in an annotated frame do not exist for
    BURST's files.
    """
    masks: dict[int, list] = {}
    for frame, (rows, shapes) in enumerate(zip(objects.rows, objects.shapes)):
        for row, shape in zip(rows.tolist(), shapes):
            masks.setdefault(row, [None] * len(objects.rows))[frame] = shape
    return masks


@METRICS.register_module()
class BURSTMetric(VideoMetric):
    """Class-guided HOTA and mAP over all, common and uncommon categories of BURST (EVAL.md M16).

    HOTA is trackeval's, averaged over the 19 thresholds, then over the categories with an object. As in BURST's
    own program it compares the boxes of the masks, and its time steps are the annotated frames with an object
    that is no distractor. mAP is that of trackeval's TrackMAP over 10 IoUs, on masks, in all annotated frames.
    A category is scored in a video only where it is annotated or known to be absent
    (``video_info['neg_category_ids']``); unmatched tracks of categories in
    ``video_info['not_exhaustive_category_ids']`` do not count.

    With ``outfile_prefix`` it writes ``{prefix}.json`` in BURST's own format.

    Args:
        common (Sequence[int] | None): ids of the common categories; None takes TAO's 78.
        distractors (Sequence[int] | None): ids of categories that no average contains; None takes TAO's 45.
            Files with category ids of their own (MiniWorld's) need ``()``.
        max_per_frame (int): best masks of a frame that count, for HOTA and for mAP.
        class_agnostic (bool): score all categories as one, without the federated rules.
        hota_iou_type (str): what HOTA and the federated rule compare, 'bbox' as in the published numbers, or 'segm',
            the masks.
        **kwargs: as for ``VideoMetric``.
    """

    default_prefix = 'burst'

    def __init__(self, common: Sequence[int] | None = None, distractors: Sequence[int] | None = None,
                 max_per_frame: int = 300, class_agnostic: bool = False, hota_iou_type: str = 'bbox', **kwargs) -> None:
        super().__init__(**kwargs)
        self.common = tao_common_ids() if common is None else set(common)
        self.distractors = tao_distractor_ids() if distractors is None else set(distractors)
        self.max_per_frame = max_per_frame
        self.class_agnostic = class_agnostic
        self.field = dict(bbox='bboxes', segm='segmentations')[hota_iou_type]
        self.hota = HOTA()

    def sort_key(self, video: VideoRecord) -> str:
        """By name, as BURST's program sorts them."""
        return video.name.replace('/', '-')

    def score_video(self, video: VideoRecord) -> dict[int, dict]:
        """HOTA's counts and the matches of whole tracks, per category."""
        truth = [track for track in video.truth() if not track.ignore]
        seen = annotated(video, truth, video.annotated, 'segmentations')
        found = visible(video.tracks, video.annotated, 'segmentations', self.max_per_frame)
        labels = [np.array([0 if self.class_agnostic else t.label for t in tracks], int)
                  for tracks in (truth, video.tracks)]
        whole = self._associate(seen, found, labels[0])
        shown, scores = (shown_masks(seen), shown_masks(found)), {}
        for label in np.union1d(*labels).tolist():
            negative, exhaustive = self._federation(video, label)
            part = apply_federation(of_class(whole, *labels, label), negative, exhaustive)
            own = [{row: masks for row, masks in group.items() if names[row] == label}
                   for group, names in zip(shown, labels)]
            scores[label] = dict(hota=self.hota.eval_sequence(part.to_trackeval()),
                                 ap=self._match(video, *own, negative, exhaustive))
        return scores

    def _associate(self, seen: VisibleObjects, found: VisibleObjects, truth_labels: np.ndarray) -> Association:
        """Identities and similarities at HOTA's time steps."""
        counts = np.array([self._is_scored(label) for label in truth_labels.tolist()], bool)
        steps = [step for step, rows in enumerate(seen.rows) if counts[rows].any()]
        seen, found = seen.pick(steps), found.pick(steps)
        if self.field == 'bboxes':
            seen, found = seen.boxes(), found.boxes()
        return associate(seen, found, self.field)

    def _is_scored(self, label: int) -> bool:
        """Whether a label is that of no distractor."""
        return self.class_agnostic or not is_listed(self.dataset_meta['category_ids'][label], self.distractors)

    def _federation(self, video: VideoRecord, label: int) -> tuple[bool, bool]:
        """Whether a category is known to be absent, and whether it is annotated exhaustively."""
        if self.class_agnostic:
            return True, True
        category = self.dataset_meta['category_ids'][label]
        return (category in video.info.get('neg_category_ids', ()),
                category not in video.info.get('not_exhaustive_category_ids', ()))

    @staticmethod
    def _match(video: VideoRecord, truth: dict[int, list], tracks: dict[int, list], negative: bool, exhaustive: bool):
        """Matches of whole tracks; None where the category is not evaluated in this video."""
        if not truth and not negative:
            return None
        # the mean over the masks of a track, whose rounding decides between tracks of equal score
        scores = [np.mean([video.tracks[row].score for mask in masks if mask is not None])
                  for row, masks in tracks.items()]
        return match_tracks(track_ious(list(tracks.values()), list(truth.values())), scores, [False] * len(truth),
                            [not exhaustive] * len(tracks), thresholds=IOU_THRESHOLDS, tolerance=EPS)

    def summarise(self, scores: list[dict]) -> dict[str, float | None]:
        """Means over all, common and uncommon categories."""
        hota, precision = {}, {}
        for label in sorted({label for video in scores for label in video if self._is_scored(label)}):
            parts = [video[label] for video in scores if label in video]
            combined = self.hota.combine_sequences({str(i): part['hota'] for i, part in enumerate(parts)})
            if (combined['HOTA_TP'] + combined['HOTA_FN']).any():  # categories without an object are left out
                hota[label] = float(combined['HOTA'].mean())
            average = average_precision([part['ap'] for part in parts if part['ap'] is not None])
            if average is not None:
                precision[label] = float(average[0].mean())
        if self.class_agnostic:
            return dict(HOTA=hota.get(0), mAP=precision.get(0))
        metrics = {}
        for group, chosen in (('', None), ('_common', True), ('_uncommon', False)):
            for name, values in (('HOTA', hota), ('mAP', precision)):
                members = [value for label, value in values.items()
                           if chosen is None or chosen == self._is_common(label)]
                metrics[f'{name}{group}'] = float(np.mean(members)) if members else None
        return metrics

    def _is_common(self, label: int) -> bool:
        return is_listed(self.dataset_meta['category_ids'][label], self.common)

    def submission(self, video: VideoRecord) -> dict:
        """One entry of ``sequences``."""
        ids, frames = self.dataset_meta['category_ids'], range(len(video.frames))
        height, width = video.frames[0]['ori_shape']
        dataset, _, name = video.name.rpartition('/')
        return dict(
            id=video.video_id, dataset=video.info.get('dataset', dataset), seq_name=video.info.get('seq_name', name),
            height=height, width=width, fps=video.info.get('fps', 1),
            annotated_image_paths=[str(video.frames[f]['img_path']).rsplit('/', 1)[-1] for f in frames],
            segmentations=[{str(n + 1): dict(rle=track.segmentations[frame]['counts'], is_gt=False,
                                             score=float(track.score))
                            for n, track in enumerate(video.tracks) if track.segmentations[frame] is not None}
                           for frame in frames],
            track_category_ids={str(n + 1): ids[track.label] for n, track in enumerate(video.tracks)})

    def write(self, submissions: list) -> None:
        """``{prefix}.json``."""
        categories = [dict(id=i, name=name)
                      for i, name in zip(self.dataset_meta['category_ids'], self.dataset_meta['classes'])]
        dump_json(dict(sequences=submissions, categories=categories), f'{self.outfile_prefix}.json')
