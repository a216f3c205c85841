"""Optional dense supervision of the encoder's alignment scores, for training from scratch."""
import torch
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor, nn


@MODELS.register_module()
class DenseAlignmentLoss(nn.Module):
    """Teaches every memory location which name or expression it belongs to.

    The two-stage scores of the released models learn from the few selected queries only, which is enough
    when training starts from a detector's weights. From scratch names are then learned last. Here each
    location whose centre lies in an object (its mask if there is one, else its box) is a positive for the
    object's name; where several contain it, the smallest wins. Not part of the paper: off by default.

    Args:
        loss_cls (dict): config of an element-wise sigmoid loss, normalised by the number of positives.
    """

    def __init__(self, loss_cls: dict = dict(
            type='FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=4.0)) -> None:
        super().__init__()
        self.loss_cls = MODELS.build(loss_cls)

    def forward(self, logits: Tensor, sizes: list[tuple[int, int]], targets: list[InstanceData]) -> Tensor:
        """The loss of a batch.

        Args:
            logits (Tensor): alignment of every location with every name (B, N, C).
            sizes (list[tuple[int, int]]): (height, width) of the levels, in the order of the locations.
            targets (list[InstanceData]): ``labels``, ``boxes`` (cxcywh in 0..1) and optionally ``masks``
                (n, H, W) over the padded input.
        """
        centres = location_centres(sizes, logits.device)
        truth = torch.stack([self._one_hot(centres, target, logits.shape[2]) for target in targets])
        return self.loss_cls(logits.flatten(0, 1).float(), truth.flatten(0, 1), avg_factor=truth.sum().clamp(min=1))

    @staticmethod
    def _one_hot(centres: Tensor, target: InstanceData, num_names: int) -> Tensor:
        """(N, C) with a one at the name of the object that holds each centre."""
        truth = centres.new_zeros(len(centres), num_names)
        if not len(target.labels):
            return truth
        inside = objects_at(centres, target)
        area = target.boxes[:, 2] * target.boxes[:, 3]
        area, owner = torch.where(inside, area, torch.inf).min(1)
        rows = area.isfinite().nonzero()[:, 0]
        truth[rows, target.labels[owner[rows]]] = 1
        return truth


def location_centres(sizes: list[tuple[int, int]], device: torch.device) -> Tensor:
    """Centres (x, y) in 0..1 of all cells of all levels, (N, 2)."""
    centres = []
    for height, width in sizes:
        y, x = torch.meshgrid((torch.arange(height, device=device) + 0.5) / height,
                              (torch.arange(width, device=device) + 0.5) / width, indexing='ij')
        centres.append(torch.stack([x, y], -1).flatten(0, 1))
    return torch.cat(centres)


def objects_at(centres: Tensor, target: InstanceData) -> Tensor:
    """Whether each object covers each centre, (N, n) bool: by mask, without masks by box."""
    if 'masks' in target:
        height, width = target.masks.shape[1:]
        x, y = (centres * centres.new_tensor([width, height])).long().unbind(-1)
        return target.masks[:, y, x].bool().t()
    offset = (centres[:, None] - target.boxes[None, :, :2]).abs()
    return (offset < target.boxes[None, :, 2:] / 2).all(-1)
