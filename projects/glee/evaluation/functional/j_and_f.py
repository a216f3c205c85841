"""Region similarity J and contour accuracy F of two masks (EVAL.md M9, M10)."""
import math

import cv2
import numpy as np


def region_similarity(prediction: np.ndarray, truth: np.ndarray) -> float:
    """J: intersection over union of bool masks (H, W); 1 if both are empty."""
    union = np.count_nonzero(prediction | truth)
    return np.count_nonzero(prediction & truth) / union if union else 1.0


def contour_accuracy(prediction: np.ndarray, truth: np.ndarray, tolerance: float = 0.008) -> float:
    """F: harmonic mean of contour precision and recall of bool masks (H, W).

    Args:
        prediction, truth (np.ndarray): bool (H, W).
        tolerance (float): how far contours may lie apart, relative to the image diagonal.
    """
    radius = math.ceil(tolerance * math.hypot(*truth.shape))
    found, wanted = contour(prediction), contour(truth)
    num_found, num_wanted = np.count_nonzero(found), np.count_nonzero(wanted)
    if num_found == 0 and num_wanted == 0:
        return 1.0
    if num_found == 0 or num_wanted == 0:
        return 0.0
    precision = np.count_nonzero(found & _dilate(wanted, radius)) / num_found
    recall = np.count_nonzero(wanted & _dilate(found, radius)) / num_wanted
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def contour(mask: np.ndarray) -> np.ndarray:
    """Pixels of a bool mask (H, W) that differ from their right, lower or lower right neighbour.

    The last row looks right only, the last column down only, the last pixel never.
    """
    edge = np.zeros_like(mask)
    edge[:, :-1] |= mask[:, :-1] ^ mask[:, 1:]
    edge[:-1] |= mask[:-1] ^ mask[1:]
    edge[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return edge


def _dilate(edge: np.ndarray, radius: int) -> np.ndarray:
    """Pixels within ``radius`` of an edge pixel."""
    steps = np.arange(-radius, radius + 1)
    disk = (steps[:, None]**2 + steps**2 <= radius**2).astype(np.uint8)
    return cv2.dilate(edge.astype(np.uint8), disk).astype(bool)
