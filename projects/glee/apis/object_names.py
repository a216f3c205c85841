"""What an object of a session may be called, by the weights that know each name."""
from typing import Optional, Sequence

import torch
from torch import Tensor

from .session_image import SessionImage


def probability_of_names(named, asked, image: SessionImage, names: Sequence[str], mask: Tensor,
                         embedding: Optional[Tensor], min_iou: float) -> Optional[Tensor]:
    """Probability (C,) of each name for an object.

    Args:
        named (GLEE): knows all names; a ``FineTunedGLEE`` has two detectors for them.
        asked (GLEE): the one of the two that prompts go to.
        image (SessionImage): the picture, with the maps of ``asked``.
        names (Sequence[str]): C of them.
        mask (Tensor): (h, w) bool, the object at the size of the mask features.
        embedding (Tensor | None): (D,), of the query of ``asked`` that is the object; None if it has none.
        min_iou (float): how much a query of the other detector has to overlap with the mask at least.

    Returns:
        Tensor | None: 0 for the names of a detector that has no such object; None if neither has one.
    """
    known, probability = False, torch.zeros(len(names), device=mask.device)
    for detector, positions in named.share_names(names):
        part = tuple(names[position] for position in positions)
        if detector is not asked:
            found = _seen(detector, image, part, mask, min_iou)
        else:
            found = None if embedding is None else detector.panoptic_head.name_probability(embedding, part)
        if found is not None:
            known, probability[positions] = True, found
    return probability if known else None


def _seen(detector, image: SessionImage, names: tuple[str, ...], mask: Tensor, min_iou: float) -> Optional[Tensor]:
    """Probability of the names for the query that lies on the mask and knows best what it is."""
    segments = image.segments(detector, names)
    masks = segments.masks > 0
    overlap = (masks & mask).sum((1, 2)) / (masks | mask).sum((1, 2)).clamp(min=1)
    best = (overlap * segments.probs.amax(1)).argmax()
    return segments.probs[best] if overlap[best] >= min_iou else None
