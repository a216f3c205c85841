"""What becomes of an image's queries at test."""
from typing import NamedTuple, Sequence

import torch
from torch import Tensor


class Segments(NamedTuple):
    """All Q queries of an image whose vocabulary has things and stuff.

    ``probs``: (Q, C) sigmoid scores, the names of things first. ``masks``: (Q, h, w) logits at mask-feature resolution.
    ``num_things``: how many of the C names are things.
    """
    probs: Tensor
    masks: Tensor
    num_things: int


class SelectedQueries(NamedTuple):
    """The N queries of an image that become instances.

    ``scores``: (N,) in 0..1. ``labels``: (N,) Long, index into the names. ``boxes``: (N, 4) cxcywh relative to the
    padded input. ``segments``: for the maps, where stuff is among the names. ``mask_index``: (N,) Long, of
    detections: which of the masks beside this selection is an instance's; None where each has its own.
    """
    scores: Tensor
    labels: Tensor
    boxes: Tensor
    segments: Segments | None = None
    mask_index: Tensor | None = None

    @classmethod
    def cat(cls, parts: Sequence['SelectedQueries']) -> 'SelectedQueries':
        """One or more selections of an image, one after the other; each instance has its own mask."""
        return cls(*(torch.cat(values) for values in list(zip(*parts))[:3]))
