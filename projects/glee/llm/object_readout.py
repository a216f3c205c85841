"""Which of GLEE's objects a [SEG] means, and masks of those."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .object_encoder import PictureObjects

EMPTY = -10.  # logit where no object is selected


class ObjectReadout(nn.Module):
    """Scores of objects from embeddings e (M, C) of [SEG] and queries q (N, C): e . W q (B.2).

    Args:
        channels (int): C of GLEE.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(channels, channels)

    def forward(self, embeds: Tensor, found: PictureObjects) -> Tensor:
        """Logits (M, N)."""
        return embeds @ self.project(found.queries.to(embeds)).t()

    def pointed(self, embeds: Tensor, found: PictureObjects) -> Tensor:
        """Embeddings (M, C) to which the mask embeddings of the objects were added, each as much as it is chosen."""
        return point(embeds, self(embeds, found), found)

    def masks(self, embeds: Tensor, found: PictureObjects) -> Tensor:
        """Mask logits (M, h, w) over the padded input: the union of the objects with a probability above a half."""
        return torch.stack([union_of(scores > 0, found) for scores in self(embeds, found)]).to(embeds)


def point(embeds: Tensor, scores: Tensor, found: PictureObjects) -> Tensor:
    """Embeddings (M, C) and the mask embeddings of the objects, each as much as its score (M, N) chooses it."""
    return embeds + scores.softmax(1) @ found.mask_embeds.to(embeds)


def choice_losses(scores: Tensor, meant: Tensor) -> Tensor:
    """Losses (M,) of scores (M, N) of [SEG] that mean some of the objects, bool (M, N): binary cross-entropy, a mean
    over the objects, and the cross-entropy of choosing any of them, where there is one; the second teaches to
    choose."""
    loss = F.binary_cross_entropy_with_logits(scores, meant.to(scores), reduction='none').mean(1)
    some = meant.any(1)
    chosen, right = scores[some], scores[some].masked_fill(~meant[some], -torch.inf)
    return loss.index_add(0, some.nonzero()[:, 0], chosen.logsumexp(1) - right.logsumexp(1))


def union_of(selected: Tensor, found: PictureObjects) -> Tensor:
    """Mask logits (h, w) of all objects that are selected (N,); empty without one."""
    masks = found.masks()
    return masks[selected].amax(0) if selected.any() else masks.new_full(masks.shape[1:], EMPTY)


def objects_meant(targets: Tensor, found: PictureObjects, least: float = 0.5) -> Tensor:
    """Whether the mask of each object has an IoU above ``least`` with targets (M, H, W) of the picture, (M, N)."""
    masks = found.masks() > 0
    height, width = (max(round(side * share), 1) for side, share in zip(masks.shape[1:], found.valid))
    small = F.interpolate(targets[None].float(), (height, width), mode='area')[0] > 0.5
    objects, small = masks[:, :height, :width].flatten(1).float(), small.flatten(1).float()
    inter = small @ objects.t()
    return inter > least * (small.sum(1, keepdim=True) + objects.sum(1) - inter)
