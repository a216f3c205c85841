"""Noised ground truth as the decoder starts from it."""
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class DenoisingQueries:
    """Noised queries of a batch; slot ``g * group_size + j`` repairs object j in group g.

    Attributes:
        content (Tensor): (B, pad, D) query content; zero in empty slots.
        boxes_unsigmoid (Tensor): (B, pad, 4) noised cxcywh before the sigmoid; zero if empty.
        attn_mask (Tensor): (pad + Q, pad + Q) bool, True where attention is blocked. The
            denoising queries come first.
        num_groups (int): number of noised copies of the ground truth.
        group_size (int): slots of one copy, the largest object count; pad = groups * size.
        matches (list[tuple[Tensor, Tensor]]): per image, the filled slots and their objects.
    """
    content: Tensor
    boxes_unsigmoid: Tensor
    attn_mask: Tensor
    num_groups: int
    group_size: int
    matches: list[tuple[Tensor, Tensor]]
