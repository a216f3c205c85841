"""One category of one video in the form that trackeval's metrics read."""
from dataclasses import dataclass
from typing import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

EPS = np.finfo('float').eps


@dataclass
class Association:
    """Per frame the identities and their similarities.

    ``truth_ids`` [(N,)], ``track_ids`` [(M,)] int; ``similarities`` [(N, M)] in 0..1.
    """
    truth_ids: list[np.ndarray]
    track_ids: list[np.ndarray]
    similarities: list[np.ndarray]

    def without(self, dropped: Sequence[np.ndarray]) -> 'Association':
        """Leave out the tracks at positions ``dropped`` of each frame."""
        return Association(
            self.truth_ids,
            [np.delete(ids, rows) for ids, rows in zip(self.track_ids, dropped)],
            [np.delete(matrix, rows, 1) for matrix, rows in zip(self.similarities, dropped)])

    def to_trackeval(self) -> dict:
        """The dict that ``eval_sequence`` of trackeval's HOTA, CLEAR and Identity takes."""
        truth_ids, num_truth_ids = _contiguous(self.truth_ids)
        track_ids, num_track_ids = _contiguous(self.track_ids)
        return dict(
            num_timesteps=len(truth_ids),
            num_gt_ids=num_truth_ids,
            num_tracker_ids=num_track_ids,
            num_gt_dets=sum(map(len, truth_ids)),
            num_tracker_dets=sum(map(len, track_ids)),
            gt_ids=truth_ids,
            tracker_ids=track_ids,
            similarity_scores=self.similarities)


def _contiguous(ids: Sequence[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """Identities renumbered from 0 without gaps, and their number."""
    known = np.unique(np.concatenate([np.asarray(frame, int) for frame in ids])) if len(ids) else np.zeros(0, int)
    return [np.searchsorted(known, np.asarray(frame, int)) for frame in ids], len(known)


def unmatched_tracks(similarity: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Positions of the tracks of one frame that match no object with at least ``threshold``.

    Args:
        similarity (np.ndarray): (N, M).
        threshold (float): least similarity of a match.
    """
    rows = np.arange(similarity.shape[1])
    if not similarity.size:
        return rows
    scores = np.where(similarity < threshold - EPS, 0, similarity)
    matched = linear_sum_assignment(-scores)
    return np.delete(rows, matched[1][scores[matched] > EPS])


def apply_federation(sequence: Association, negative: bool, exhaustive: bool) -> Association:
    """TAO's and BURST's rule for one category of one video (EVAL.md M16).

    Unmatched tracks are left out of frames without an object unless the category is known to be
    absent (``negative``), and of all frames if it is not annotated ``exhaustive``-ly.
    """
    dropped = []
    for truth_ids, similarity in zip(sequence.truth_ids, sequence.similarities):
        free = (not len(truth_ids) and not negative) or not exhaustive
        dropped.append(unmatched_tracks(similarity) if free else np.zeros(0, int))
    return sequence.without(dropped)


def drop_in_ignored_regions(sequence: Association, shares: Sequence[np.ndarray]) -> Association:
    """BDD100K's rule: unmatched tracks that lie by more than half in an ignored region do not count.

    Args:
        sequence (Association): one category of one video.
        shares (Sequence[np.ndarray]): per frame (M, R), the share of each track's area that lies in
            each ignored region.
    """
    dropped = []
    for similarity, share in zip(sequence.similarities, shares):
        free = unmatched_tracks(similarity)
        inside = (share[free] > 0.5 + EPS).any(1) if share.size else np.zeros(len(free), bool)
        dropped.append(free[inside])
    return sequence.without(dropped)
