"""Overlaps of boxes and run-length masks, per frame and over whole tracks."""
from typing import Sequence

import numpy as np

from ...structures.masks import Rle, areas, bounding_box, intersections


def mask_ious(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """IoU of every pair of masks of one frame: (N, M) float64."""
    common = intersections(first, second)
    unions = areas(first)[:, None] + areas(second)[None] - common
    return common / np.maximum(unions, 1)


def mask_boxes(masks: Sequence[Rle]) -> np.ndarray:
    """xyxy boxes of masks, (N, 4) float64 whole numbers; zeros for an empty mask."""
    boxes = np.array([bounding_box(mask) for mask in masks], np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


def box_ious(first: Sequence, second: Sequence, of_first: bool = False) -> np.ndarray:
    """IoU (or intersection over area of the first) of every pair of xyxy boxes: (N, M) float64."""
    first = np.asarray(first, np.float64).reshape(-1, 1, 4)
    second = np.asarray(second, np.float64).reshape(1, -1, 4)
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    common = sides.clip(min=0).prod(-1)
    sizes = [(boxes[..., 2:] - boxes[..., :2]).clip(min=0).prod(-1) for boxes in (first, second)]
    # in this order of additions: an IoU is compared with thresholds to the last bit
    unions = np.broadcast_to(sizes[0] if of_first else sizes[0] + sizes[1] - common, common.shape)
    return np.divide(common, unions, out=np.zeros_like(common), where=unions > 0)


def track_ious(first: Sequence[Sequence[Rle | None]], second: Sequence[Sequence[Rle | None]]) -> np.ndarray:
    """Spatio-temporal IoU of every pair of tracks (EVAL.md M7).

    Sum of the intersections over the sum of the unions of all frames; a missing mask is empty, and the
    IoU of two tracks without a pixel is 0.

    Args:
        first, second: N and M tracks, each with one RLE or None per frame.

    Returns:
        np.ndarray: (N, M) float64.
    """
    common = np.zeros((len(first), len(second)))
    sizes = [np.zeros(len(tracks)) for tracks in (first, second)]
    num_frames = len((list(first) or list(second) or [[]])[0])
    for frame in range(num_frames):
        rows = [[i for i, track in enumerate(tracks) if track[frame] is not None] for tracks in (first, second)]
        masks = [[tracks[i][frame] for i in shown] for tracks, shown in zip((first, second), rows)]
        for total, shown, present in zip(sizes, rows, masks):
            total[shown] += areas(present)
        common[np.ix_(*rows)] += intersections(*masks)
    unions = sizes[0][:, None] + sizes[1][None] - common
    return common / np.maximum(unions, 1)


def mean_area(segmentations: Sequence[Rle | None]) -> float:
    """Mean mask area of a track over the frames in which it has pixels, 0 without any."""
    sizes = [size for size in areas([rle for rle in segmentations if rle is not None]) if size > 0]
    return float(np.mean(sizes)) if sizes else 0.0
