"""Dense supervision of the encoder, for training from scratch."""
from typing import Callable, Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmdet.utils import reduce_mean
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...layers.query_selection import EncodedMemory
from ...losses.dynamic_loss_selector import LossSwitch


@MODELS.register_module()
class DenseSupervision(nn.Module):
    """Names, boxes and confidence of the memory cells around the centre of every object, beside the matched queries.

    One matched query per object teaches a randomly initialised encoder little; released models start from
    a converted MaskDINO instead (DESIGN section 8) and train without this. An object belongs to the level on which
    its side is nearest to ``side`` cells, and there to its ``num_cells`` cells nearest to the centre; where
    several objects claim a cell the smallest has it.

    Args:
        num_cells (int): cells k of an object.
        side (float): wished side of an object in cells of its level.
        name_weight (float): weight of the cross-entropy over the names of the batch at claimed cells. Unlike the focal
            loss it does not wait until objects are told from background.
        loss_cls, loss_bbox, loss_giou (dict): as in ``GLEECriterion``, / number of claimed cells; ``loss_cls`` is
            that of the confidence too.
    """

    def __init__(self,
                 num_cells: int = 4,
                 side: float = 4.,
                 name_weight: float = 4.,
                 loss_cls: dict = dict(type='FocalLoss', use_sigmoid=True, gamma=2., alpha=0.25, loss_weight=4.),
                 loss_bbox: dict = dict(type='L1Loss', loss_weight=5.),
                 loss_giou: dict = dict(type='GIoULoss', eps=1e-7, loss_weight=2.)) -> None:
        super().__init__()
        self.num_cells = num_cells
        self.side = side
        self.name_weight = name_weight
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_bbox = MODELS.build(loss_bbox)
        self.loss_giou = MODELS.build(loss_giou)

    def assign(self, boxes: Tensor, sizes: Sequence[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """Cells of the objects of one image.

        Args:
            boxes (Tensor): (n, 4) cxcywh relative to the padded input.
            sizes (Sequence[tuple[int, int]]): (h, w) of the levels, in memory order.

        Returns:
            tuple: positions in the memory and indices of their objects, both Long (M,).
        """
        shapes = boxes.new_tensor(sizes)
        cells = shapes.prod(1)
        sides = (boxes[:, 2:].prod(1, keepdim=True) * cells).sqrt().clamp(min=1e-6)  # (n, L)
        levels = (sides / self.side).log().abs().argmin(1)
        centres = torch.cat([
            torch.cartesian_prod((torch.arange(h, device=boxes.device) + 0.5) / h,
                                 (torch.arange(w, device=boxes.device) + 0.5) / w).flip(1) for h, w in sizes
        ])
        level_of_cell = torch.arange(len(sizes), device=boxes.device).repeat_interleave(cells.long())
        offsets = (centres - boxes[:, None, :2]) * shapes[levels].flip(1)[:, None]  # in cells, (n, N, 2)
        distances = offsets.square().sum(2).masked_fill(level_of_cell != levels[:, None], torch.inf)
        nearest, positions = distances.topk(min(self.num_cells, distances.shape[1]), largest=False)
        areas = boxes[:, 2:].prod(1, keepdim=True).expand_as(nearest)
        claims = torch.full_like(distances, torch.inf).scatter(1, positions, areas.where(nearest.isfinite(), torch.inf))
        area, owner = claims.min(0) if len(boxes) else (claims.new_full((len(centres), ), torch.inf), None)
        chosen = area.isfinite().nonzero()[:, 0]
        return chosen, owner[chosen] if len(boxes) else chosen

    def forward(self, memory: EncodedMemory, targets: Sequence[InstanceData], switch: LossSwitch,
                box_head: Callable[[Tensor], Tensor], confidence_head: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """``loss_dense_{cls,name,conf,bbox,giou}`` of a batch; zero where switched off.

        Args:
            memory (EncodedMemory): of the batch.
            targets (Sequence[InstanceData]): per image ``labels`` (n,) and ``boxes`` (n, 4) cxcywh in 0..1.
            switch (LossSwitch): the terms that are on.
            box_head (Callable): maps (M, D) to box logit deltas (M, 4).
            confidence_head (Callable): maps (B, N, D) to logits (B, N, 1), by which visual prompts select queries.
        """
        logits, zero = memory.logits.float(), (memory.logits.sum() + memory.content.sum()) * 0.
        assigned = [self.assign(target.boxes.float(), memory.sizes) for target in targets]
        images = torch.arange(len(targets), device=zero.device).repeat_interleave(
            torch.tensor([len(cells) for cells, _ in assigned], device=zero.device))
        cells = torch.cat([cells for cells, _ in assigned])
        labels = torch.cat([target.labels[owner] for target, (_, owner) in zip(targets, assigned)])
        truth = torch.cat([target.boxes[owner] for target, (_, owner) in zip(targets, assigned)]).float()
        count = reduce_mean(zero.new_tensor(float(len(cells)))).clamp(min=1)
        losses = {f'loss_dense_{term}': zero for term in ('name', 'cls', 'conf', 'bbox', 'giou')}
        if switch.semantic:
            named = torch.zeros_like(logits)
            named[images, cells, labels] = 1
            focal = self.loss_cls(logits.flatten(0, 1), named.flatten(0, 1), reduction_override='none')
            losses['loss_dense_cls'] = focal.sum() / count
            names = F.cross_entropy(logits[images, cells], labels, reduction='sum')
            losses['loss_dense_name'] = self.name_weight * names / count
        if switch.confidence:
            confidence = confidence_head(memory.content).float()
            chosen = torch.zeros_like(confidence)
            chosen[images, cells] = 1
            focal = self.loss_cls(confidence.flatten(0, 1), chosen.flatten(0, 1), reduction_override='none')
            losses['loss_dense_conf'] = focal.sum() / count
        if switch.box:
            valid = memory.proposals[cells].isfinite().all(1)
            images, cells, truth = images[valid], cells[valid], truth[valid]
            boxes = (box_head(memory.content[images, cells]) + memory.proposals[cells]).float().sigmoid()
            losses['loss_dense_bbox'] = self.loss_bbox(boxes, truth, reduction_override='none').sum() / count
            losses['loss_dense_giou'] = self.loss_giou(
                bbox_cxcywh_to_xyxy(boxes), bbox_cxcywh_to_xyxy(truth), reduction_override='none').sum() / count
        return losses
