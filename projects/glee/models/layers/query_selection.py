"""Proposals of the two-stage decoder (DESIGN section 5 'Two-stage selection')."""
import torch
from torch import Tensor


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
        y, x = torch.meshgrid(
            (torch.arange(height, device=device) + 0.5) / height,
            (torch.arange(width, device=device) + 0.5) / width, indexing='ij')
        side = torch.full_like(x, base_size * 2**level)
        boxes.append(torch.stack([x, y, side, side], -1).flatten(0, 1))
    boxes = torch.cat(boxes)
    valid = ((boxes > margin) & (boxes < 1 - margin)).all(-1)
    logits = torch.log(boxes / (1 - boxes))
    return logits.masked_fill(~valid[:, None], float('inf')), valid
