"""What a tracker returns."""
from dataclasses import dataclass, field

import numpy as np

from .masks import encode


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
