"""The objects of an interactive session: rounds, duplicates, and whose pixels are whose."""
from dataclasses import dataclass, field, replace
from typing import Optional, Sequence

import numpy as np
import torch
from torch import Tensor

from ..models.seg_heads.mask_resize import resize_logits
from ..models.trackers.object_merge import ObjectMerge
from ..structures.masks import Rle, area, decode, encode
from .object_encodings import ObjectEncoding
from .session_image import SessionImage
from .user_prompt import UserPrompt


@dataclass(frozen=True)
class SessionObject:
    """One object after some round.

    Attributes:
        id: Handle for ``refine``, ``undo``, ``reset`` and ``label``.
        round: Number of rounds, from 1.
        rle: Run-length code of the mask over the original image.
        box: (4,) xyxy px of the original image.
        score: Probability in 0..1, times mask quality.
        label, label_score: Best name of the session's vocabulary; None without a vocabulary.
        text: The object's expression, transcribed audio included.
        logits: (h, w) mask logits at mask-feature resolution.
        embedding: (D,) of the query.
        candidates: Of a round that asked for several: this one and other masks that the prompt could mean, in the order
            in which it prefers them; ``InteractiveSession.choose`` takes one.
    """
    id: int
    round: int
    rle: Rle = field(repr=False)
    box: np.ndarray
    score: float
    label: Optional[str]
    label_score: Optional[float]
    text: Optional[str]
    logits: Tensor = field(repr=False)
    embedding: Tensor = field(repr=False)
    candidates: tuple['SessionObject', ...] = field(default=(), repr=False)

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool over the original image, decoded whenever it is asked for."""
        return decode(self.rle)

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return area(self.rle)


@dataclass
class Round:
    """What was said about an object up to some round, what was found, and the pixels that later rounds may read."""
    prompt: UserPrompt
    result: SessionObject
    encoding: Optional[ObjectEncoding] = None

    def settled(self) -> 'Round':
        """Without the candidates, which nobody needs later."""
        return replace(self, result=replace(self.result, candidates=())) if self.result.candidates else self


def distinct(masks: Tensor, max_iou: float = 0.5) -> list[int]:
    """Indices of masks (n, H, W) bool, best first, that show something else than the ones kept before them.

    Args:
        masks: empty ones are left out, but for the first.
        max_iou: a mask that overlaps a kept one more is a duplicate.
    """
    flat = masks.flatten(1).float()
    areas = flat.sum(1)
    kept: list[int] = []
    for index in range(len(masks)):
        if kept and not areas[index]:
            continue
        shared = flat[kept] @ flat[index]
        if (shared <= max_iou * (areas[kept] + areas[index] - shared)).all():
            kept.append(index)
    return kept


def divide(objects: Sequence[SessionObject], image: SessionImage) -> list[SessionObject]:
    """The objects with masks that share no pixel: one that several masks hold goes to the largest score x probability.

    Boxes and scores stay; of equal ones the earlier object wins.
    """
    if len(objects) < 2:
        return list(objects)
    meta = image.sample.metainfo
    sizes = meta['batch_input_shape'], meta['img_shape'][:2], meta['ori_shape'][:2]
    merge = ObjectMerge(sizes[-1], objects[0].logits.device, background=None, dtype=torch.float64)
    for obj in objects:  # one by one: at the size of a photo each takes many megabytes
        probability = resize_logits(obj.logits[None], *sizes)[0].sigmoid()
        inside = torch.from_numpy(obj.mask).to(probability.device)
        merge.add(torch.where(inside, probability.double() * obj.score, -1))
    return [replace(obj, rle=encode(mask.cpu().numpy())) for obj, mask in zip(objects, merge.masks())]
