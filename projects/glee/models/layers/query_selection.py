"""From the encoder's memory to the object queries (DESIGN section 5 'Two-stage selection')."""
from typing import Callable, NamedTuple

import torch
from torch import Tensor

from .cell_centres import cell_centres


class EncodedMemory(NamedTuple):
    """What queries are selected from.

    ``content``: (B, N, D) projected memory. ``logits``: (B, N, C) alignment with the names; None where the
    confidence selects and nothing is trained.
    ``proposals``: (N, 4) box logits, +inf where invalid. ``sizes``: (h, w) of the levels, in memory order.
    """
    content: Tensor
    logits: Tensor | None
    proposals: Tensor
    sizes: list[tuple[int, int]]


def generate_proposals(sizes: list[tuple[int, int]],
                       device: torch.device,
                       base_size: float = 0.05,
                       margin: float = 0.01) -> tuple[Tensor, Tensor]:
    """One square proposal at every location centre; level i has side ``base_size * 2**i``.

    Args:
        sizes: (height, width) of the levels in the order of the memory. The released models list the
            coarsest level first, so that it has the *smallest* prior; checkpoints depend on it.
        device: where the tensors live.
        base_size: side of the first level's proposals, relative to the padded image.
        margin: a proposal with any coordinate outside (margin, 1 - margin) is invalid.

    Returns:
        tuple: box logits (N, 4), +inf where invalid, and validity (N,) bool.
    """
    boxes = []
    for level, (height, width) in enumerate(sizes):
        centres = cell_centres(height, width, device)
        boxes.append(torch.cat([centres, torch.full_like(centres, base_size * 2**level)], -1))
    boxes = torch.cat(boxes)
    valid = ((boxes > margin) & (boxes < 1 - margin)).all(-1)
    logits = torch.log(boxes / (1 - boxes))
    return logits.masked_fill(~valid[:, None], float('inf')), valid


def encode_memory(memory: Tensor, sizes: list[tuple[int, int]], project: Callable[[Tensor], Tensor],
                  align: Callable[[Tensor], Tensor] | None) -> EncodedMemory:
    """Project the memory, zero where a proposal is invalid, and compare it with the names, if anybody reads that.

    Args:
        memory: (B, N, D) flattened encoder levels.
        sizes: (h, w) of the levels, in memory order.
        project: maps (B, N, D) to (B, N, D).
        align: maps (B, N, D) to alignment logits (B, N, C).
    """
    proposals, valid = generate_proposals(sizes, memory.device)
    content = project(memory * valid[:, None])
    return EncodedMemory(content, None if align is None else align(content), proposals, sizes)


def select_queries(memory: EncodedMemory, scores: Tensor, box_head: Callable[[Tensor], Tensor],
                   num_queries: int) -> tuple[Tensor, Tensor, Tensor]:
    """The memory positions with the best scores.

    Args:
        memory: of the batch.
        scores: (B, N, C) of which the best of C counts.
        box_head: maps (B, Q, D) to box logit deltas (B, Q, 4).
        num_queries: Q, or all positions if there are fewer.

    Returns:
        tuple: content (B, Q, D), boxes (B, Q, 4) cxcywh in 0..1 and positions (B, Q).
    """
    indices = scores.amax(-1).topk(min(num_queries, scores.shape[1])).indices
    content = memory.content.expand(indices.shape[0], -1, -1)
    content = content.gather(1, indices[..., None].expand(-1, -1, content.shape[-1]))
    boxes = (box_head(content) + memory.proposals[indices]).sigmoid()
    return content, boxes, indices
