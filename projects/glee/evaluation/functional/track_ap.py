"""Average precision of tracks (EVAL.md M7)."""
from dataclasses import dataclass
from typing import Sequence

import numpy as np

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_THRESHOLDS = np.linspace(0, 1, 101)


@dataclass
class ClassMatches:
    """One category of one video at all IoU thresholds T, tracks sorted by falling score.

    ``scores`` (D,). ``matched`` and ``ignored`` (T, D) bool. ``num_truth``: objects that count.
    """
    scores: np.ndarray
    matched: np.ndarray
    ignored: np.ndarray
    num_truth: int


def match_tracks(ious: np.ndarray, scores: Sequence[float], truth_ignored: Sequence[bool],
                 outside: Sequence[bool], crowd: Sequence[bool] | None = None, thresholds: np.ndarray = IOU_THRESHOLDS,
                 tolerance: float = 0.0) -> ClassMatches:
    """Greedy matching of the tracks of one category of one video.

    By falling score, each track takes the free object of the largest IoU that reaches the threshold;
    an ignored object only if no other fits. A track matched with an ignored object is ignored, and so
    is an unmatched one that is ``outside``.

    Args:
        ious (np.ndarray): (D, G).
        scores (Sequence[float]): (D,).
        truth_ignored (Sequence[bool]): (G,) objects that need not be found.
        outside (Sequence[bool]): (D,) tracks that do not count when unmatched (wrong size, or a
            category that is not annotated exhaustively).
        crowd (Sequence[bool] | None): (G,) objects that several tracks may match.
        thresholds (np.ndarray): (T,) IoU thresholds.
        tolerance (float): by how much an IoU may lie below a threshold, or below that of another object, and
            still count as equal.
    """
    truth_ignored = np.asarray(truth_ignored, bool)
    crowd = np.zeros(len(truth_ignored), bool) if crowd is None else np.asarray(crowd, bool)
    order = np.argsort(-np.asarray(scores, np.float64), kind='mergesort')
    columns = np.argsort(truth_ignored, kind='mergesort')  # those that count come first
    matched = np.zeros((len(thresholds), len(order)), bool)
    ignored = np.zeros_like(matched)
    for row, threshold in enumerate(thresholds):
        free = np.ones(len(columns), bool)
        for column, track in enumerate(order):
            best = _best_object(ious[track], columns, free, truth_ignored, min(threshold, 1 - 1e-10), tolerance)
            if best is None:
                continue
            matched[row, column] = True
            ignored[row, column] = truth_ignored[columns[best]]
            free[best] = crowd[columns[best]]
    ignored |= ~matched & np.asarray(outside, bool)[order]
    return ClassMatches(np.asarray(scores, np.float64)[order], matched, ignored, int((~truth_ignored).sum()))


def _best_object(ious: np.ndarray, columns: np.ndarray, free: np.ndarray, ignored: np.ndarray,
                 threshold: float, tolerance: float) -> int | None:
    """Position in ``columns`` of the object a track takes; the last one among equals."""
    best, found = threshold, None
    for position, column in enumerate(columns):
        if not free[position]:
            continue
        if found is not None and not ignored[columns[found]] and ignored[column]:
            break
        if ious[column] >= best - tolerance:
            best, found = ious[column], position
    return found


def average_precision(videos: Sequence[ClassMatches]) -> tuple[np.ndarray, np.ndarray] | None:
    """Precision averaged over 101 recalls, and recall, of one category.

    Returns:
        tuple[np.ndarray, np.ndarray] | None: AP (T,) and recall (T,); None without an object to find.
    """
    num_truth = sum(video.num_truth for video in videos)
    if num_truth == 0:
        return None
    scores = np.concatenate([video.scores for video in videos])
    order = np.argsort(-scores, kind='mergesort')
    matched = np.concatenate([video.matched for video in videos], 1)[:, order]
    ignored = np.concatenate([video.ignored for video in videos], 1)[:, order]
    hits = np.cumsum(matched & ~ignored, 1).astype(np.float64)
    misses = np.cumsum(~matched & ~ignored, 1).astype(np.float64)
    precisions, recalls = np.zeros(len(hits)), np.zeros(len(hits))
    for row, (tp, fp) in enumerate(zip(hits, misses)):
        recall = tp / num_truth
        precision = np.maximum.accumulate((tp / (tp + fp + np.spacing(1)))[::-1])[::-1]
        positions = np.searchsorted(recall, RECALL_THRESHOLDS, side='left')
        inside = positions[positions < len(precision)]
        precisions[row] = precision[inside].sum() / len(RECALL_THRESHOLDS)
        recalls[row] = recall[-1] if len(recall) else 0
    return precisions, recalls
