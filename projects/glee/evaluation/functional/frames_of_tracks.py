"""From the tracks of a video to what is visible in each of its annotated frames."""
from typing import NamedTuple

import numpy as np

from .association import Association
from .track_overlap import box_ious, mask_ious
from .video_record import VideoRecord


class VisibleObjects(NamedTuple):
    """What is visible in each annotated frame.

    ``rows``: per frame the positions of the visible tracks. ``shapes``: per frame their boxes or masks.
    """
    rows: list[np.ndarray]
    shapes: list[list]


def visible(video: VideoRecord, tracks: list, field: str, max_per_frame: int | None = None) -> VisibleObjects:
    """Tracks per annotated frame.

    Args:
        video (VideoRecord): gives the annotated frames.
        tracks (list): with ``segmentations`` and ``bboxes``; predictions also with ``score``.
        field (str): 'segmentations' or 'bboxes'.
        max_per_frame (int | None): best-scoring tracks of a frame that count.
    """
    rows, shapes = [], []
    for frame in video.annotated:
        shown = [i for i, track in enumerate(tracks) if getattr(track, field)[frame] is not None]
        if max_per_frame is not None and len(shown) > max_per_frame:
            shown = sorted(sorted(shown, key=lambda i: -tracks[i].score)[:max_per_frame])
        rows.append(np.array(shown, int))
        shapes.append([getattr(tracks[i], field)[frame] for i in shown])
    return VisibleObjects(rows, shapes)


def similarity(first: list, second: list, field: str) -> np.ndarray:
    """IoU of every pair of boxes or masks of one frame."""
    return (mask_ious if field == 'segmentations' else box_ious)(first, second)


def associate(truth: VisibleObjects, tracks: VisibleObjects, field: str) -> Association:
    """Identities (positions in the lists of tracks) and similarities of all categories."""
    return Association(truth.rows, tracks.rows,
                       [similarity(a, b, field) for a, b in zip(truth.shapes, tracks.shapes)])


def of_class(association: Association, truth_labels: np.ndarray, track_labels: np.ndarray,
             label: int) -> Association:
    """The part of one category; labels are per position in the lists of tracks."""
    truth = [truth_labels[ids] == label for ids in association.truth_ids]
    tracks = [track_labels[ids] == label for ids in association.track_ids]
    return Association(
        [ids[own] for ids, own in zip(association.truth_ids, truth)],
        [ids[own] for ids, own in zip(association.track_ids, tracks)],
        [matrix[rows][:, columns] for matrix, rows, columns in zip(association.similarities, truth, tracks)])
