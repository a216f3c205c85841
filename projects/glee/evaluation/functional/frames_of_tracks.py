"""From the tracks of a video to what is visible in each of its scored frames."""
from typing import NamedTuple, Sequence

import numpy as np

from .association import Association
from .track_overlap import box_ious, mask_boxes, mask_ious
from .video_record import TruthTrack, VideoRecord


class VisibleObjects(NamedTuple):
    """What is visible in each of T frames.

    ``rows``: per frame the positions of the visible tracks, in the order in which a benchmark's file lists
    them. ``shapes``: per frame their boxes or masks.
    """
    rows: list[np.ndarray]
    shapes: list[list]

    def pick(self, steps: Sequence[int]) -> 'VisibleObjects':
        """Some of the frames."""
        return VisibleObjects([self.rows[step] for step in steps], [self.shapes[step] for step in steps])

    def boxes(self) -> 'VisibleObjects':
        """The boxes (xyxy) of the masks in place of the masks."""
        return VisibleObjects(self.rows, [list(mask_boxes(masks)) for masks in self.shapes])


def visible(tracks: list, frames: Sequence[int], field: str, max_per_frame: int | None = None) -> VisibleObjects:
    """Tracks per frame, in the order of ``tracks``.

    Args:
        tracks (list): with ``segmentations`` and ``bboxes``; predictions also with ``score``.
        frames (Sequence[int]): positions of the frames.
        field (str): 'segmentations' or 'bboxes'.
        max_per_frame (int | None): best-scoring tracks of a frame that count; where there are more, the order
            is that of falling scores, as in TAO's and BURST's programs.
    """
    rows, shapes = [], []
    for frame in frames:
        shown = [i for i, track in enumerate(tracks) if getattr(track, field)[frame] is not None]
        if max_per_frame is not None and len(shown) > max_per_frame:
            shown = sorted(shown, key=lambda i: -tracks[i].score)[:max_per_frame]
        rows.append(np.array(shown, int))
        shapes.append([getattr(tracks[i], field)[frame] for i in shown])
    return VisibleObjects(rows, shapes)


def annotated(video: VideoRecord, objects: Sequence[TruthTrack], frames: Sequence[int], field: str) -> VisibleObjects:
    """Annotated objects per frame, in the order of the rows of that frame in the annotation file.

    Args:
        video (VideoRecord): gives the rows.
        objects (Sequence[TruthTrack]): those that count.
        frames, field: as for ``visible``.
    """
    positions = {track.instance_id: position for position, track in enumerate(objects)}
    rows, shapes = [], []
    for frame in frames:
        shown = [positions[row['instance_id']] for row in video.frames[frame]['instances']
                 if row['instance_id'] in positions]
        shown = [i for i in shown if getattr(objects[i], field)[frame] is not None]
        rows.append(np.array(shown, int))
        shapes.append([getattr(objects[i], field)[frame] for i in shown])
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
