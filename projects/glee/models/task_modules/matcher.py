"""Bipartite matching of queries with objects."""
from collections.abc import Sequence

import numpy as np
import torch
from mmcv.ops import point_sample
from mmdet.models.task_modules.assigners.match_cost import BaseMatchCost
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ..layers.row_linear import row_product
from .binary_mask_cost import BinaryMaskCost

Match = tuple[Tensor, Tensor]
# boxes are normalised: they lie in an image of size one
_META = dict(img_shape=(1, 1))


@TASK_UTILS.register_module()
class HungarianMatcher:
    """One-to-one matching of every output's queries with the objects of each image.

    DESIGN section 5, 'Losses', and section 7 point 1: mask costs are read at random points shared
    by an image's queries and objects, and the mask *features* are sampled there, so that no full
    mask is formed (sampling is linear, the numbers are equal). mmdet's ``HungarianAssigner`` does
    one image of one output per call; its match costs are used here, but for all outputs at once,
    with a single transfer to the CPU per batch.

    The costs are match-cost configs, mmdet's and ``BinaryMaskCost`` (``FocalLossCost`` needs the eps below: its
    default differs from the released models).

    Args:
        class_costs (Sequence[dict]): read ``scores`` (logits) and ``labels``; always used.
        box_costs (Sequence[dict]): read normalised xyxy ``bboxes``; used if boxes are annotated.
        mask_costs (Sequence[dict]): read ``masks`` (logits, values) at points; used with masks.
        num_points (int): random points P of an image.
    """

    def __init__(
        self,
        class_costs: Sequence[dict] = (dict(type='FocalLossCost', weight=4., eps=1e-6), ),
        box_costs: Sequence[dict] = (dict(type='BBoxL1Cost', box_format='xywh', weight=5.),
                                     dict(type='IoUCost', iou_mode='giou', weight=2.)),
        mask_costs: Sequence[dict] = (dict(type='BinaryMaskCost', entropy_weight=5., dice_weight=5., eps=1.), ),
        num_points: int = 12544,
    ) -> None:
        self.class_costs = [TASK_UTILS.build(cost) for cost in class_costs]
        self.box_costs = [TASK_UTILS.build(cost) for cost in box_costs]
        self.mask_costs = [TASK_UTILS.build(cost) for cost in mask_costs]
        self.num_points = num_points

    @torch.no_grad()
    def __call__(self, predictions: dict[str, dict[str, Tensor]], mask_features: Tensor,
                 targets: Sequence[InstanceData], use_boxes: bool = True,
                 use_masks: bool = True) -> dict[str, list[Match]]:
        """Match every output of a batch.

        Args:
            predictions (dict[str, dict]): per output ``logits`` (B, Q, C), ``boxes`` (B, Q, 4)
                cxcywh in 0..1 and ``mask_embeds`` (B, Q, D).
            mask_features (Tensor): (B, D, h, w).
            targets (Sequence[InstanceData]): per image ``labels`` (N,), ``boxes`` (N, 4) cxcywh
                normalised to the padded input, and ``masks`` (N, H, W) over the padded input.
            use_boxes, use_masks (bool): whether boxes and masks guide the matching.

        Returns:
            dict[str, list[tuple[Tensor, Tensor]]]: per output and image the matched queries,
            ascending, and their objects, both Long (min(Q, N),).

        Raises:
            ValueError: a cost contains NaN or inf; the message names term, output and image.
        """
        terms = self.costs(predictions, mask_features, targets, use_boxes, use_masks)
        sizes = [output['logits'].shape[1] for output in predictions.values()]
        totals = [sum(image_terms.values()).flatten() for image_terms in terms]
        # one copy from the device for the whole batch
        totals = torch.cat(totals).cpu().split([len(total) for total in totals])
        pairs = []
        for image, (total, target) in enumerate(zip(totals, targets)):
            total = total.view(sum(sizes), len(target.labels))
            if not torch.isfinite(total).all():
                _raise_not_finite(terms[image], image, list(predictions), sizes)
            pairs += [np.stack(linear_sum_assignment(cost)) for cost in total.split(sizes)]
        device = mask_features.device
        counts = [pair.shape[1] for pair in pairs]
        matched = torch.from_numpy(np.concatenate(pairs, 1)).to(device).split(counts, 1)
        # pairs are image-major; an output's images lie one stride of outputs apart
        return {
            key: [(query, target) for query, target in matched[index::len(sizes)]]
            for index, key in enumerate(predictions)
        }

    @torch.no_grad()
    def costs(self, predictions: dict[str, dict[str, Tensor]], mask_features: Tensor,
              targets: Sequence[InstanceData], use_boxes: bool = True,
              use_masks: bool = True) -> list[dict[str, Tensor]]:
        """Weighted cost of every term, without matching; arguments as of ``__call__``.

        Returns:
            list[dict[str, Tensor]]: per image and cost type (sum of Q, N); the queries of all
            outputs follow each other.
        """
        sizes = [output['logits'].shape[1] for output in predictions.values()]
        logits, boxes, embeds = (
            torch.cat([output[name] for output in predictions.values()], 1).float()
            for name in ('logits', 'boxes', 'mask_embeds'))
        boxes = bbox_cxcywh_to_xyxy(boxes.clamp(0, 1))
        terms = []
        # fp16 costs change assignments
        with torch.autocast(mask_features.device.type, enabled=False):
            points, features = self._sample(mask_features.float()) if use_masks else (None, None)
            for image, target in enumerate(targets):
                pred = InstanceData(scores=logits[image], bboxes=boxes[image])
                truth = InstanceData(
                    labels=target.labels, bboxes=bbox_cxcywh_to_xyxy(target.boxes.float()))
                costs = _evaluate(self.class_costs, 'class', pred, truth)
                if use_boxes:
                    costs.update(_evaluate(self.box_costs, 'box', pred, truth))
                if use_masks and len(target.labels):
                    truth.masks = point_sample(target.masks[None].float(), points[image, None])[0]
                    costs.update(
                        self._mask_terms(embeds[image].split(sizes), features[image], truth))
                terms.append(costs)
        return terms

    def _sample(self, mask_features: Tensor) -> tuple[Tensor, Tensor]:
        """Random points (B, P, 2) in 0..1, drawn image by image, and the features (B, D, P)."""
        points = torch.cat([
            torch.rand(1, self.num_points, 2, device=mask_features.device) for _ in mask_features
        ])
        return points, point_sample(mask_features, points)

    def _mask_terms(self, embeds: Sequence[Tensor], features: Tensor,
                    truth: InstanceData) -> dict[str, Tensor]:
        """Mask costs (sum of Q, N) of one image, output by output to bound the memory."""
        rows = features.T.contiguous()  # once, what the product would do for every output
        blocks = [{_name('mask', cost): self._mask_cost(cost, embed, rows, truth) for cost in self.mask_costs}
                  for embed in embeds]
        return {name: torch.cat([block[name] for block in blocks]) for name in blocks[0]}

    @staticmethod
    def _mask_cost(cost: BaseMatchCost, embeds: Tensor, rows: Tensor, truth: InstanceData) -> Tensor:
        """One cost (Q, N) of embeddings (Q, D) and the features (P, D) of the points."""
        if isinstance(cost, BinaryMaskCost):
            return cost.of_embeds(embeds, rows, truth.masks)
        return cost(InstanceData(masks=row_product(rows, embeds).T), truth, _META)


def _evaluate(costs: Sequence, kind: str, pred: InstanceData,
              truth: InstanceData) -> dict[str, Tensor]:
    """Cost matrices (queries, N) by name."""
    return {_name(kind, cost): cost(pred, truth, _META) for cost in costs}


def _name(kind: str, cost: BaseMatchCost) -> str:
    return f'{kind} cost {type(cost).__name__}'


def _raise_not_finite(terms: dict[str, Tensor], image: int, outputs: list[str],
                      sizes: list[int]) -> None:
    """Name the first term, output and image whose cost is not finite."""
    for name, cost in terms.items():
        for output, block in zip(outputs, cost.split(sizes)):
            if not torch.isfinite(block).all():
                what = 'NaN' if block.isnan().any() else 'inf'
                raise ValueError(
                    f"cost contains {what}: {name} of output '{output or 'final'}', image {image} "
                    f'of the batch. The predictions diverged: lower the learning rate or clip '
                    f'gradients, and check the input for NaN.')
    raise ValueError(f'cost contains inf: the sum of {list(terms)} of image {image} overflows')
