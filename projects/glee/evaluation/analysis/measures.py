"""Tables of a test: by name, by size, by score, and what is taken for what."""
import numpy as np
from scipy.optimize import linear_sum_assignment

from .detections import MATCHED, Detections

SIDES = (0, 16, 32, 64, 96, 128, 192, 256, 384, 512, np.inf)  # px, of a square of the object's area


def per_class(detections: Detections, score_thr: float) -> list[dict]:
    """By name, the most frequent first: ``objects``, ``AP``, ``AP50``, and at a score ``precision`` and ``recall``.

    A number without objects or detections behind it is None.
    """
    count = len(detections.names)
    objects, found, right = np.zeros((3, count), int)
    for picture in detections.pictures:
        kept = (picture.scores >= score_thr) & ~picture.ignored
        objects += np.bincount(picture.truth_labels, minlength=count)
        found += np.bincount(picture.found_labels[kept], minlength=count)
        right += np.bincount(picture.found_labels[kept & (picture.match >= 0)], minlength=count)
    rows = []
    for label, name in enumerate(detections.names):
        precision = detections.precision[..., label]
        known = bool(objects[label]) and precision.max() >= 0
        rows.append(dict(
            name=name, objects=int(objects[label]), AP=float(precision.mean()) if known else None,
            AP50=float(precision[0].mean()) if known else None,
            precision=right[label] / found[label] if found[label] else None,
            recall=right[label] / objects[label] if objects[label] else None))
    return sorted(rows, key=lambda row: -row['objects'])


def confusion(detections: Detections, score_thr: float) -> np.ndarray:
    """(K + 1, K + 1) counts: true name by found name; the last row is background, the last column not found.

    Detections above the score and objects are paired once each, whatever their names, with the largest sum of IoUs of
    at least 0.5.
    """
    count = len(detections.names)
    table = np.zeros((count + 1, count + 1), int)
    for picture in detections.pictures:
        kept = np.flatnonzero((picture.scores >= score_thr) & ~picture.ignored)
        ious = picture.ious[kept]
        pairs = [(row, column) for row, column in zip(*linear_sum_assignment(-np.where(ious >= MATCHED, ious, 0)))
                 if ious[row, column] >= MATCHED]
        for row, column in pairs:
            table[picture.truth_labels[column], picture.found_labels[kept[row]]] += 1
        rows, columns = {row for row, _ in pairs}, {column for _, column in pairs}
        for row in set(range(len(kept))) - rows:
            table[count, picture.found_labels[kept[row]]] += 1
        for column in set(range(len(picture.truth_labels))) - columns:
            table[picture.truth_labels[column], count] += 1
    return table


def calibration(detections: Detections, bins: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """How often detections of a score are right.

    Returns:
        tuple: per bin of equal width the mean score (0 if empty), the share that is right, and the count; and the
        expected calibration error: the mean of the difference of the first two, weighted by the count.
    """
    scores = np.concatenate([picture.scores[~picture.ignored] for picture in detections.pictures] or [np.zeros(0)])
    right = np.concatenate([picture.match[~picture.ignored] >= 0 for picture in detections.pictures] or [np.zeros(0)])
    places = np.minimum((scores * bins).astype(int), bins - 1)
    counts = np.bincount(places, minlength=bins)
    divisor = np.maximum(counts, 1)
    means = np.bincount(places, scores, bins) / divisor
    shares = np.bincount(places, right.astype(float), bins) / divisor
    error = float((np.abs(means - shares) * counts).sum() / max(counts.sum(), 1))
    return means, shares, counts, error


def recall_by_size(detections: Detections) -> list[dict]:
    """By the side of a square as large as the object, px: ``objects`` and the share that is ``found`` at IoU 0.5."""
    areas = np.concatenate([picture.areas for picture in detections.pictures] or [np.zeros(0)])
    found = np.concatenate([picture.found for picture in detections.pictures] or [np.zeros(0, bool)])
    rows = []
    for low, high in zip(SIDES, SIDES[1:]):
        chosen = (areas >= low**2) & (areas < high**2)
        rows.append(dict(low=low, high=high, objects=int(chosen.sum()),
                         found=float(found[chosen].mean()) if chosen.any() else None))
    return rows
