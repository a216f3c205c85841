"""Points at which masks are supervised."""
import torch
from mmcv.ops import point_sample
from torch import Tensor


@torch.no_grad()
def uncertain_points(logits: Tensor, num_points: int, oversample_ratio: float, importance_ratio: float) -> Tensor:
    """Random points, most of them where a mask is least certain (PointRend, arXiv 1912.08193).

    The points of mmdet's ``get_uncertain_point_coords_with_randomness`` from the same random numbers; those of a mask
    come in any order, which saves sorting them.

    Args:
        logits: mask logits (M, h, w).
        num_points: P of a mask.
        oversample_ratio: candidates of a mask, in multiples of P.
        importance_ratio: share of P that are the candidates nearest to a logit of zero.

    Returns:
        Tensor: xy (M, P, 2) in 0..1.
    """
    count = int(importance_ratio * num_points)
    points = torch.rand(len(logits), int(num_points * oversample_ratio), 2, device=logits.device)
    doubt = point_sample(logits.unsqueeze(1), points)[:, 0].abs_()
    chosen = doubt.topk(count, largest=False, sorted=False).indices
    points = points.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 2))
    if count == num_points:
        return points
    return torch.cat([points, torch.rand(len(logits), num_points - count, 2, device=logits.device)], 1)
