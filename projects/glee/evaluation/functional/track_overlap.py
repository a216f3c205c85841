"""Overlaps of boxes and run-length masks, per frame and over whole tracks."""
from typing import Sequence

import numpy as np
import pycocotools.mask as mask_utils

Rle = dict


def mask_ious(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """IoU of every pair of masks of one frame: (N, M) float64."""
    intersections = mask_intersections(first, second)
    unions = _areas(first)[:, None] + _areas(second)[None] - intersections
    return intersections / np.maximum(unions, 1)


def mask_intersections(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """Common pixels of every pair of masks of one frame: (N, M) float64."""
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    # "crowd" IoU is intersection / area of the first
    shares = mask_utils.iou(list(first), list(second), [1] * len(second))
    return np.rint(np.nan_to_num(shares) * _areas(first)[:, None])


def _areas(masks: Sequence[Rle]) -> np.ndarray:
    # one by one: pycocotools overflows with more than 255 masks at a time
    return np.array([mask_utils.area(mask) for mask in masks], np.float64)


def box_ious(first: Sequence, second: Sequence, of_first: bool = False) -> np.ndarray:
    """IoU (or intersection over area of the first) of every pair of xyxy boxes: (N, M) float64."""
    first = np.asarray(first, np.float64).reshape(-1, 1, 4)
    second = np.asarray(second, np.float64).reshape(1, -1, 4)
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    intersections = sides.clip(min=0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).clip(min=0).prod(-1) for boxes in (first, second)]
    unions = areas[0] + (0 if of_first else areas[1] - intersections)
    return np.divide(intersections, unions, out=np.zeros_like(intersections), where=unions > 0)


def track_ious(first: Sequence[Sequence[Rle | None]], second: Sequence[Sequence[Rle | None]]) -> np.ndarray:
    """Spatio-temporal IoU of every pair of tracks (EVAL.md M7).

    Sum of the intersections over the sum of the unions of all frames; a missing mask is empty, and the
    IoU of two tracks without a pixel is 0.

    Args:
        first, second: N and M tracks, each with one RLE or None per frame.

    Returns:
        np.ndarray: (N, M) float64.
    """
    intersections = np.zeros((len(first), len(second)))
    sizes = [np.zeros(len(tracks)) for tracks in (first, second)]
    num_frames = len((list(first) or list(second) or [[]])[0])
    for frame in range(num_frames):
        rows = [[i for i, track in enumerate(tracks) if track[frame] is not None] for tracks in (first, second)]
        masks = [[tracks[i][frame] for i in shown] for tracks, shown in zip((first, second), rows)]
        for total, shown, present in zip(sizes, rows, masks):
            total[shown] += _areas(present)
        intersections[np.ix_(*rows)] += mask_intersections(*masks)
    unions = sizes[0][:, None] + sizes[1][None] - intersections
    return intersections / np.maximum(unions, 1)


def mean_area(segmentations: Sequence[Rle | None]) -> float:
    """Mean mask area of a track over the frames in which it has pixels, 0 without any."""
    areas = [area for area in _areas([rle for rle in segmentations if rle is not None]) if area > 0]
    return float(np.mean(areas)) if areas else 0.0
