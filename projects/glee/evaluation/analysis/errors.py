"""Kinds of errors and what each costs, by the definitions of TIDE (Bolya et al., ECCV 2020)."""
from collections import Counter

import numpy as np

from .detections import MATCHED, Detections, PictureDetections

BACKGROUND = 0.1  # IoU up to which a detection shows nothing
KINDS = dict(
    classification='another name: lies well on an object of another name',
    localisation='badly placed: the right name, IoU 0.1 to 0.5',
    both='another name and badly placed',
    duplicate='a second one of an object that a better detection found',
    background='shows nothing: IoU at most 0.1 with every object',
    missed='an object that nothing finds, not even badly placed or named otherwise')


def kinds_of_errors(picture: PictureDetections) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The kind of every detection and object of a picture.

    Returns:
        tuple: kinds of the D detections, '' for one that is right or ignored; (D,) the object that a detection of kind
        localisation or classification is about, else -1; (G,) bool, objects that are missed.
    """
    kinds, targets = [], np.full(len(picture.scores), -1)
    found = picture.found
    for row in range(len(picture.scores)):
        if picture.match[row] >= 0 or picture.ignored[row]:
            kinds.append('')
            continue
        same = picture.truth_labels == picture.found_labels[row]
        kind, targets[row] = _kind(picture.ious[row], same, found)
        kinds.append(kind)
    about = np.zeros(len(found), bool)
    about[targets[targets >= 0]] = True
    return kinds, targets, ~found & ~about


def _kind(ious: np.ndarray, same: np.ndarray, found: np.ndarray) -> tuple[str, int]:
    """Of a detection that finds nothing: its overlaps with the objects, which have its name, which are found."""
    if not len(ious):
        return 'background', -1
    own, others = np.where(same, ious, -1), np.where(same, -1, ious)
    if BACKGROUND <= own.max() <= MATCHED:
        return 'localisation', int(own.argmax())
    if others.max() >= MATCHED:
        return 'classification', int(others.argmax())
    if own[found].max(initial=-1) >= MATCHED:
        return 'duplicate', -1
    return ('background' if ious.max() <= BACKGROUND else 'both'), -1


def error_shares(detections: Detections) -> dict[str, dict[str, float]]:
    """Of each of ``KINDS`` how often it happens (``count``) and by how much AP50 rises without it (``cost``, 0..1).

    A badly placed or wrongly named detection is set right if no better one of these two kinds is about its object and
    nothing finds that, else it is taken away; of the other kinds detections are taken away, and missed objects are not
    asked for.
    """
    table = _Table(detections)
    before = table.ap50()
    shares = {}
    for kind in KINDS:
        shares[kind] = dict(count=table.counts[kind], cost=max(table.ap50(without=kind) - before, 0.))
    return shares


def ap50(detections: Detections) -> float:
    """AP at IoU 0.5 over the names that have objects; 0 without any."""
    return _Table(detections).ap50()


class _Table:
    """All detections of a test in columns."""

    def __init__(self, detections: Detections) -> None:
        labels, scores, right, kinds, targets, target_labels = [], [], [], [], [], []
        count = len(detections.names)
        self.objects, self.missed, first = np.zeros(count, int), np.zeros(count, int), 0
        free: list[np.ndarray] = []
        for picture in detections.pictures:
            kind, target, missed = kinds_of_errors(picture)
            kept = ~picture.ignored
            labels.append(picture.found_labels[kept])
            scores.append(picture.scores[kept])
            right.append(picture.match[kept] >= 0)
            kinds += [name for name, keep in zip(kind, kept) if keep]
            target = target[kept]
            targets.append(np.where(target >= 0, target + first, -1))
            target_labels.append(np.append(picture.truth_labels, -1)[target])
            self.objects += np.bincount(picture.truth_labels, minlength=count)
            self.missed += np.bincount(picture.truth_labels[missed], minlength=count)
            free.append(~picture.found)
            first += len(picture.truth_labels)
        self.labels, self.scores, self.right, self.targets, self.target_labels = (
            np.concatenate(column) if column else np.zeros(0, int)
            for column in (labels, scores, right, targets, target_labels))
        self.kinds = np.array(kinds, dtype=object)
        self.best = self._best_about_unfound(np.concatenate(free) if free else np.zeros(0, bool))
        self.counts = Counter(kinds)
        self.counts['missed'] = int(self.missed.sum())

    def ap50(self, without: str = '') -> float:
        """AP at IoU 0.5, as it is or with one kind of errors set right."""
        labels, right, kept = self.labels.copy(), self.right.copy(), np.ones(len(self.labels), bool)
        objects = self.objects - self.missed if without == 'missed' else self.objects
        for row in np.flatnonzero(self.kinds == without) if without else ():
            kept[row] = False
        if without in ('localisation', 'classification'):
            for row in self.best[self.kinds[self.best] == without]:
                labels[row], right[row], kept[row] = self.target_labels[row], True, True
        values = [average_precision(self.scores[chosen], right[chosen], objects[label])
                  for label in range(len(objects)) if objects[label] > 0
                  for chosen in [kept & (labels == label)]]
        return float(np.mean(values)) if values else 0.

    def _best_about_unfound(self, unfound: np.ndarray) -> np.ndarray:
        """The best detection about each object that nothing finds."""
        best: dict[int, int] = {}
        for row in np.flatnonzero(self.targets >= 0):
            target = int(self.targets[row])
            if unfound[target] and (target not in best or self.scores[row] > self.scores[best[target]]):
                best[target] = int(row)
        return np.array(sorted(best.values()), int)


def average_precision(scores: np.ndarray, right: np.ndarray, objects: int) -> float:
    """Mean precision at 101 recalls, as pycocotools has it.

    Args:
        scores, right (np.ndarray): (N,) of the detections.
        objects (int): to be found, at least 1.
    """
    order = np.argsort(-scores, kind='mergesort')
    true = np.cumsum(right[order])
    recall, precision = true / objects, true / np.arange(1, len(order) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side='left')
    return float(np.append(precision, 0.)[np.minimum(places, len(precision))].mean())
