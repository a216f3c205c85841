"""What a tracker returns."""
from dataclasses import dataclass, field
from typing import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData

from .masks import bounding_box, decode, encode


@dataclass
class Track:
    """One object of a video of T frames.

    ``instance_id``: identity, from 1. ``label``: index into the video's ``text``. ``score``: one number
    for the whole track. ``segmentations``: per frame a compressed RLE at the frame's original size, or
    None where the object is not visible. ``bboxes``: per frame (x1, y1, x2, y2) in original pixels, or None.
    ``owned``: per frame the part of the mask that no other track has a better claim to, an RLE or None; empty from
    trackers whose masks may overlap and that do not decide it.
    """
    instance_id: int
    label: int
    score: float
    segmentations: list = field(default_factory=list)
    bboxes: list = field(default_factory=list)
    owned: list = field(default_factory=list)


def encode_mask(mask: np.ndarray) -> dict | None:
    """Compressed RLE with text counts of a bool mask (H, W); None if it is empty."""
    return encode(mask) if mask.any() else None


def track_instances(tracks: Sequence[Track], frame: int, size: Sequence[int]) -> InstanceData:
    """The tracks that are visible in a frame, as mmdet's metrics and visualizers of videos read them.

    Args:
        tracks (Sequence[Track]): of the video.
        frame (int): position of the frame in the video.
        size (Sequence[int]): original height and width of the frame.

    Returns:
        InstanceData: ``instances_id`` Long (N,), ``labels`` Long (N,), ``scores`` (N,), ``bboxes`` (N, 4) xyxy px and
        bool ``masks`` (N, H, W), on the CPU.
    """
    shown = [track for track in tracks if track.segmentations[frame] is not None]
    masks = [decode(track.segmentations[frame]) for track in shown]
    boxes = []
    for track in shown:
        x, y, width, height = bounding_box(track.segmentations[frame])
        boxes.append(track.bboxes[frame] or [x, y, x + width, y + height])
    return InstanceData(
        instances_id=torch.tensor([track.instance_id for track in shown], dtype=torch.long),
        labels=torch.tensor([track.label for track in shown], dtype=torch.long),
        scores=torch.tensor([track.score for track in shown], dtype=torch.float32),
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        masks=torch.from_numpy(np.stack(masks)) if masks else torch.zeros(0, *size, dtype=torch.bool))
