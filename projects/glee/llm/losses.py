"""Losses of reasoning segmentation (B.2, G7): text, and masks by binary cross-entropy and Dice."""
import torch
import torch.nn.functional as F
from torch import Tensor

IGNORED = -100  # label of a token without a loss


def text_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of logits (N, V) with labels (N,); 0 without a label."""
    kept = labels != IGNORED
    return F.cross_entropy(logits[kept].float(), labels[kept]) if kept.any() else logits.sum() * 0.


def mask_bce(logits: list[Tensor], targets: list[Tensor]) -> Tensor:
    """Mean over masks of the mean over pixels; logits and targets [(H, W)], sizes may differ."""
    return torch.stack([F.binary_cross_entropy_with_logits(one.float(), target.float())
                        for one, target in zip(logits, targets)]).mean()


def mask_dice(logits: list[Tensor], targets: list[Tensor], scale: float = 1000.0, eps: float = 1e-6) -> Tensor:
    """Mean over masks of 1 - (2 I + eps) / (P + T + eps), with I, P and T the sums of products, probabilities and
    targets, each divided by ``scale``."""
    losses = []
    for one, target in zip(logits, targets):
        probability, target = one.float().sigmoid(), target.float()
        inter = (probability * target).sum() / scale
        losses.append(1 - (2 * inter + eps) / ((probability.sum() + target.sum()) / scale + eps))
    return torch.stack(losses).mean()
