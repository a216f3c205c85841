"""Track-every-thing accuracy (TETA; EVAL.md M15).

A track overlaps an object where their IoU is at least 0.5, without tolerance; pairs are matched at a threshold
less the precision of a float, as in the authors' program.
"""
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from .association import EPS, Association

ALPHAS = np.arange(0.0, 0.99, 0.05)
CLS_ALPHAS = ALPHAS >= 0.5 - EPS
OVERLAP = 0.5


@dataclass
class LabelledFrames:
    """A video: identities and similarities of all categories, and their labels.

    ``truth_labels`` [(N,)] and ``track_labels`` [(M,)] int, per annotated frame.
    """
    association: Association
    truth_labels: list[np.ndarray]
    track_labels: list[np.ndarray]


@dataclass
class TETACounts:
    """Counts of one category at the 20 localisation thresholds A, summed over videos."""
    loc_tp: np.ndarray = field(default_factory=lambda: np.zeros(len(ALPHAS)))
    loc_fn: np.ndarray = field(default_factory=lambda: np.zeros(len(ALPHAS)))
    loc_fp: np.ndarray = field(default_factory=lambda: np.zeros(len(ALPHAS)))
    assoc: np.ndarray = field(default_factory=lambda: np.zeros(len(ALPHAS)))  # AssA x TP
    cls_tp: np.ndarray = field(default_factory=lambda: np.zeros(len(ALPHAS)))
    cls_fn: np.ndarray = field(default_factory=lambda: np.zeros(len(ALPHAS)))
    cls_fp: np.ndarray = field(default_factory=lambda: np.zeros(len(ALPHAS)))


def count_video(video: LabelledFrames) -> dict[int, TETACounts]:
    """Counts of every category that occurs in a video, by label."""
    counts: dict[int, TETACounts] = defaultdict(TETACounts)
    owners = _assign(video.association)
    present = np.unique(np.concatenate([*video.truth_labels, np.zeros(0, int)]))
    for label in present.astype(int).tolist():
        _count_class(video, label, owners, counts)
    return counts


def teta(counts: dict[int, TETACounts]) -> dict[str, float | None]:
    """TETA, LocA, AssocA and ClsA, the mean over the categories with objects; None without any."""
    rows = [_final_fields(count) for count in counts.values() if (count.loc_tp + count.loc_fn).any()]
    if not rows:
        return dict.fromkeys(('TETA', 'LocA', 'AssocA', 'ClsA'))
    loc, assoc, cls = (float(np.mean([row[i] for row in rows])) for i in range(3))
    return dict(TETA=(loc + assoc + cls) / 3, LocA=loc, AssocA=assoc, ClsA=cls)


def _final_fields(count: TETACounts) -> tuple[float, float, float]:
    loc = count.loc_tp / np.maximum(1, count.loc_tp + count.loc_fn + count.loc_fp)
    assoc = count.assoc / np.maximum(1, count.loc_tp)
    cls = count.cls_tp / np.maximum(1, count.cls_tp + count.cls_fn + count.cls_fp)
    return float(loc.mean()), float(assoc.mean()), float(cls[CLS_ALPHAS].mean())


def _assign(association: Association) -> list[dict[int, int]]:
    """Per frame, which track (id) belongs to which object (id), whatever the category.

    Only tracks that overlap some object in some frame take part.
    """
    near = [ids[(similarity >= OVERLAP).any(0)]
            for ids, similarity in zip(association.track_ids, association.similarities)]
    association = _keep(association, near)
    alignment = _global_alignment(association)
    owners = []
    for truth_ids, track_ids, similarity in zip(
            association.truth_ids, association.track_ids, association.similarities):
        rows, columns = _match(truth_ids, track_ids, similarity, alignment)
        owners.append({int(truth_ids[row]): int(track_ids[column]) for row, column in zip(rows, columns)
                       if similarity[row, column] >= OVERLAP - EPS})
    return owners


def _keep(association: Association, tracks: list[np.ndarray]) -> Association:
    """The tracks whose id is in one of the arrays."""
    kept = np.unique(np.concatenate([*tracks, np.zeros(0, int)]))
    return association.without([np.flatnonzero(~np.isin(ids, kept)) for ids in association.track_ids])


def _global_alignment(association: Association) -> dict[tuple[int, int], float]:
    """Soft overlap over time of objects and tracks, as in HOTA."""
    potential: dict[tuple[int, int], float] = defaultdict(float)
    truth_count, track_count = defaultdict(int), defaultdict(int)
    for truth_ids, track_ids, similarity in zip(
            association.truth_ids, association.track_ids, association.similarities):
        total = similarity.sum(0)[None] + similarity.sum(1)[:, None] - similarity
        share = np.divide(similarity, total, out=np.zeros_like(similarity), where=total > EPS)
        for row, truth in enumerate(truth_ids):
            truth_count[int(truth)] += 1
            for column, track in enumerate(track_ids):
                potential[int(truth), int(track)] += share[row, column]
        for track in track_ids:
            track_count[int(track)] += 1
    return {(truth, track): value / (truth_count[truth] + track_count[track] - value)
            for (truth, track), value in potential.items()}


def _match(truth_ids: np.ndarray, track_ids: np.ndarray, similarity: np.ndarray,
           alignment: dict[tuple[int, int], float]) -> tuple[np.ndarray, np.ndarray]:
    """Best one-to-one pairs of one frame by alignment x similarity."""
    weights = np.array([[alignment[int(truth), int(track)] for track in track_ids] for truth in truth_ids])
    if not weights.size:
        return np.zeros(0, int), np.zeros(0, int)
    return linear_sum_assignment(-weights * similarity)


def _count_class(video: LabelledFrames, label: int, owners: list[dict[int, int]],
                 counts: dict[int, TETACounts]) -> None:
    """Add the counts of one category."""
    part, overlapping, labels = _restrict(video, label, owners)
    count, alignment = counts[label], _global_alignment(part)
    pairs = [defaultdict(int) for _ in ALPHAS]
    truth_count, track_count = defaultdict(int), defaultdict(int)
    for frame, (truth_ids, track_ids, similarity) in enumerate(
            zip(part.truth_ids, part.track_ids, part.similarities)):
        for ids, total in ((truth_ids, truth_count), (track_ids, track_count)):
            for identity in ids.tolist():
                total[identity] += 1
        rows, columns = _match(truth_ids, track_ids, similarity, alignment)
        for index, alpha in enumerate(ALPHAS):
            good = similarity[rows, columns] >= alpha - EPS
            count.loc_tp[index] += good.sum()
            count.loc_fn[index] += len(truth_ids) - good.sum()
            count.loc_fp[index] += len(set(overlapping[frame].tolist()) - set(track_ids[columns[good]].tolist()))
            for row, column in zip(rows[good], columns[good]):
                pairs[index][int(truth_ids[row]), int(track_ids[column])] += 1
                predicted = int(labels[frame][column])
                if predicted == label:
                    count.cls_tp[index] += 1
                else:
                    count.cls_fn[index] += 1
                    counts[predicted].cls_fp[index] += 1
    for index, matches in enumerate(pairs):
        count.assoc[index] += sum(
            n * n / max(1, truth_count[truth] + track_count[track] - n)
            for (truth, track), n in matches.items())


def _restrict(video: LabelledFrames, label: int, owners: list[dict[int, int]]
              ) -> tuple[Association, list[np.ndarray], list[np.ndarray]]:
    """The objects of one category and the tracks that overlap one of them in some frame.

    Returns:
        tuple: the association; per frame the ids of the tracks that overlap there; their labels.
    """
    whole, kept, overlapping = video.association, set(), []
    for frame, similarity in enumerate(whole.similarities):
        own = video.truth_labels[frame] == label
        near = whole.track_ids[frame][(similarity[own] >= OVERLAP).any(0)]
        own_ids = set(whole.truth_ids[frame][own].tolist())
        foreign = [track for truth, track in owners[frame].items() if truth not in own_ids]
        near = near[~np.isin(near, foreign)]
        overlapping.append(near)
        kept |= set(near.tolist())
    truth_ids, track_ids, similarities, labels = [], [], [], []
    for frame, similarity in enumerate(whole.similarities):
        own = video.truth_labels[frame] == label
        shown = np.isin(whole.track_ids[frame], list(kept))
        truth_ids.append(whole.truth_ids[frame][own])
        track_ids.append(whole.track_ids[frame][shown])
        labels.append(video.track_labels[frame][shown])
        similarities.append(similarity[own][:, shown])
    return Association(truth_ids, track_ids, similarities), overlapping, labels
