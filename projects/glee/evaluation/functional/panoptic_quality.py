"""Panoptic quality (Kirillov et al., Panoptic Segmentation, CVPR 2019, equation 1), by panopticapi's rules."""
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

VOID = 0


class TrueSegment(NamedTuple):
    """A segment of the truth as its JSON describes it; ``area`` in pixels."""
    category: int
    area: int
    is_crowd: bool


@dataclass
class Counts:
    """Sum of IoUs of matched segments, and matched, superfluous and missed segments of one category."""
    iou: float = 0.
    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __iadd__(self, other: 'Counts') -> 'Counts':
        self.iou, self.tp, self.fp, self.fn = (
            self.iou + other.iou, self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)
        return self


def count_segments(truth: np.ndarray, truth_segments: Mapping[int, TrueSegment], predicted: np.ndarray,
                   predicted_segments: Mapping[int, int]) -> dict[int, Counts]:
    """Match the segments of one picture: same category and IoU above 0.5, void pixels left out of the union.

    A predicted segment that lies for more than half in void and in the crowd of its category counts nowhere
    (of several crowds the last one counts, as in panopticapi).

    Args:
        truth (np.ndarray): (H, W) segment ids, 0 is void.
        truth_segments (dict): by id.
        predicted (np.ndarray): (H, W) segment ids, 0 is void.
        predicted_segments (dict): category by id.

    Returns:
        dict[int, Counts]: by category.
    """
    base = int(predicted.max()) + 1
    pairs, sizes = np.unique(truth.astype(np.int64) * base + predicted, return_counts=True)
    overlap = defaultdict(int, {divmod(pair, base): size for pair, size in zip(pairs.tolist(), sizes.tolist())})
    areas = defaultdict(int)
    for (_, found), size in overlap.items():
        areas[found] += size
    counts: dict[int, Counts] = defaultdict(Counts)
    matched_truth, matched = set(), set()
    for (true, found), size in list(overlap.items()):
        segment, category = truth_segments.get(true), predicted_segments.get(found)
        if segment is None or segment.is_crowd or segment.category != category:
            continue
        iou = size / (areas[found] + segment.area - size - overlap[VOID, found])
        if iou > 0.5:
            counts[category] += Counts(iou=iou, tp=1)
            matched_truth.add(true)
            matched.add(found)
    crowds = {segment.category: true for true, segment in truth_segments.items() if segment.is_crowd}
    for true, segment in truth_segments.items():
        if not segment.is_crowd and true not in matched_truth:
            counts[segment.category] += Counts(fn=1)
    for found, category in predicted_segments.items():
        if found in matched:
            continue
        ignored = overlap[VOID, found] + (overlap[crowds[category], found] if category in crowds else 0)
        if ignored <= 0.5 * areas[found]:
            counts[category] += Counts(fp=1)
    return dict(counts)


def average_quality(counts: Mapping[int, Counts], categories: Iterable[int]) -> dict[str, float]:
    """Means over those of ``categories`` that occur in the truth or the predictions.

    Returns:
        dict: ``pq``, ``sq``, ``rq`` from 0 to 1 (0 if none occurs), and ``n``, how many occur.
    """
    values = []
    for category in categories:
        count = counts.get(category, Counts())
        weight = count.tp + 0.5 * count.fp + 0.5 * count.fn
        if weight:
            values.append((count.iou / weight, count.iou / count.tp if count.tp else 0., count.tp / weight))
    means = np.mean(values, axis=0) if values else np.zeros(3)
    return dict(zip(('pq', 'sq', 'rq'), map(float, means)), n=len(values))
