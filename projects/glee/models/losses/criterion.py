"""Losses of the object decoder."""
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmcv.ops import point_sample
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmdet.utils import reduce_mean
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures.denoising_queries import DenoisingQueries
from ..task_modules.matcher import Match
from .dynamic_loss_selector import LossSwitch
from .uncertain_points import uncertain_points

TWO_STAGE = 'enc'


@dataclass(frozen=True)
class _Objects:
    """The objects of all images, one after the other: labels (N,), boxes (N, 4), masks."""
    labels: Tensor
    boxes: Tensor
    masks: Tensor | None


@dataclass(frozen=True)
class _Pairs:
    """Matched queries of L outputs: ``images`` (M,), ``queries`` and ``objects`` (L, M).

    Every output matches equally many queries of an image, so the L outputs share ``images``.
    ``objects`` index into the concatenated objects of the batch.
    """
    images: Tensor
    queries: Tensor
    objects: Tensor
    counts: list[int]

    def pick(self, values: Tensor) -> Tensor:
        """Rows of the matched queries, (L, M, ...) of (L, B, Q, ...)."""
        return values[self._outputs(), self.images, self.queries]

    def one_hot(self, like: Tensor, labels: Tensor) -> Tensor:
        """Targets (L, B, Q, C) of logits ``like`` for pairs with ``labels`` (L, M); others zero."""
        target = torch.zeros_like(like)
        target[self._outputs(), self.images, self.queries, labels] = 1
        return target

    def _outputs(self) -> Tensor:
        return torch.arange(len(self.queries), device=self.queries.device)[:, None]


@MODELS.register_module()
class GLEECriterion(nn.Module):
    """Matching and losses of all outputs of the object decoder (DESIGN section 5, 'Losses').

    Every output is matched again. Terms are computed for all outputs together. A term that is
    switched off is exactly zero and keeps what it would have trained in the graph.

    Args:
        loss_cls (dict): sigmoid focal loss, summed over queries and names, / number of objects.
        loss_conf (dict): focal loss of the confidence, mean over queries, summed over the batch.
        loss_mask (dict): binary cross-entropy, mean over points, / number of objects.
        loss_dice (dict): dice over points, / number of objects.
        loss_bbox (dict): L1 of cxcywh clamped to [0, 1], / number of objects.
        loss_giou (dict): generalised IoU loss of the same boxes, / number of objects.
        loss_track (dict): contrastive loss between the frames of a clip.
        matcher (dict): config of the matcher; it takes ``num_points`` unless it names its own.
        num_points (int): points P at which a mask is supervised.
        oversample_ratio (float): random candidates, in multiples of P.
        importance_sample_ratio (float): share of the points taken where the mask is least certain.
    """

    def __init__(
        self,
        loss_cls: dict = dict(
            type='FocalLoss', use_sigmoid=True, gamma=2., alpha=0.25, loss_weight=4.),
        loss_conf: dict = dict(
            type='FocalLoss', use_sigmoid=True, gamma=2., alpha=0.25, loss_weight=4.),
        loss_mask: dict = dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=5.),
        loss_dice: dict = dict(
            type='DiceLoss', use_sigmoid=True, activate=True, naive_dice=True, eps=1.,
            loss_weight=5.),
        loss_bbox: dict = dict(type='L1Loss', loss_weight=5.),
        # the eps of mmdet, 1e-6, would reach objects of one pixel in normalised coordinates
        loss_giou: dict = dict(type='GIoULoss', eps=1e-7, loss_weight=2.),
        loss_track: dict = dict(type='ContrastiveTrackingLoss', num_negatives=20, loss_weight=2.),
        matcher: dict = dict(type='HungarianMatcher'),
        num_points: int = 12544,
        oversample_ratio: float = 3.0,
        importance_sample_ratio: float = 0.75,
    ) -> None:
        super().__init__()
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_conf = MODELS.build(loss_conf)
        self.loss_mask = MODELS.build(loss_mask)
        self.loss_dice = MODELS.build(loss_dice)
        self.loss_bbox = MODELS.build(loss_bbox)
        self.loss_giou = MODELS.build(loss_giou)
        self.loss_track = MODELS.build(loss_track)
        self.matcher = TASK_UTILS.build({'num_points': num_points, **matcher})
        self.num_points = num_points
        self.oversample_ratio = oversample_ratio
        self.importance_sample_ratio = importance_sample_ratio

    def forward(
        self,
        predictions: dict[str, dict[str, Tensor]],
        mask_features: Tensor,
        targets: Sequence[InstanceData],
        switch: LossSwitch,
        dn_predictions: dict[str, dict[str, Tensor]] | None = None,
        dn_meta: DenoisingQueries | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, list[Match]]]:
        """Weighted losses of a batch.

        Args:
            predictions (dict[str, dict]): per output ``logits`` (B, Q, C), ``boxes`` (B, Q, 4)
                cxcywh in 0..1, ``scores`` (B, Q, 1) and ``mask_embeds`` (B, Q, D). Keys: '' the
                final layer, 'd0' the initial prediction, 'd1'... the layers, 'enc' two-stage.
            mask_features (Tensor): (B, D, h, w).
            targets (Sequence[InstanceData]): per image ``labels`` Long (N,), ``boxes`` (N, 4)
                cxcywh normalised to the padded input and, where annotated, ``masks`` (N, H, W)
                over the padded input.
            switch (LossSwitch): the terms that are on.
            dn_predictions (dict[str, dict] | None): ``logits`` and ``boxes`` of the denoising
                queries, (B, pad, ...); keys 'dn', 'dn.d0', ...
            dn_meta (DenoisingQueries | None): what made them.

        Returns:
            tuple: losses, named ``loss_cls`` for the final layer and ``d0.loss_cls`` otherwise;
            and per output and image the matched queries and objects.

        Raises:
            ValueError: masks are missing, or a cost of the matching is not finite.
        """
        objects = self._gather(targets, switch)
        num_objects = self._num_objects(targets, mask_features)
        matches = self.matcher(predictions, mask_features, targets, switch.match_boxes,
                               switch.match_masks)
        pairs = _pair_up(list(matches.values()), targets)
        losses = self._class_and_boxes(predictions, objects, pairs, switch, num_objects)
        losses.update(self._confidence(predictions, matches, targets, switch))
        losses.update(
            self._masks(predictions, mask_features, objects, pairs, switch, num_objects))
        if dn_predictions is not None:
            fixed = _pair_up([dn_meta.matches] * len(dn_predictions), targets)
            losses.update(
                self._class_and_boxes(dn_predictions, objects, fixed, switch,
                                      num_objects * dn_meta.num_groups))
        return losses, matches

    def track(self, embeddings: Tensor, matches: Sequence[Match], targets: Sequence[InstanceData],
              switch: LossSwitch, num_frames: int) -> Tensor:
        """Tracking loss of a batch of clips, zero if it is switched off.

        Args:
            embeddings (Tensor): (N*T, Q, D) of the last layer, the frames of a clip one after the other.
            matches (Sequence[tuple]): last layer's matched queries and objects of each frame.
            targets (Sequence[InstanceData]): per frame, with ``identities`` Long (N,).
            switch (LossSwitch): the terms that are on.
            num_frames (int): frames T of a clip.
        """
        if not switch.tracking:
            return embeddings.sum(dtype=torch.float32) * 0
        return self.loss_track(embeddings, matches, [target.identities for target in targets], num_frames)

    @staticmethod
    def _gather(targets: Sequence[InstanceData], switch: LossSwitch) -> _Objects:
        """Concatenate the objects of the batch and check what the losses rely on."""
        labels = torch.cat([target.labels for target in targets])
        if switch.mask or switch.match_masks:
            for image, target in enumerate(targets):
                if len(target.labels) and 'masks' not in target:
                    raise ValueError(f"targets[{image}] has no 'masks' although the supervision "
                                     f"of the batch contains 'mask'")
        masks = None
        if switch.mask and len(labels):
            masks = torch.cat([target.masks for target in targets if len(target.labels)]).float()
        return _Objects(labels, torch.cat([target.boxes for target in targets]).float(), masks)

    @staticmethod
    def _num_objects(targets: Sequence[InstanceData], like: Tensor) -> Tensor:
        """Mean over ranks of max(objects of the rank, 1), so never below 1."""
        count = max(sum(len(target.labels) for target in targets), 1)
        return reduce_mean(like.new_full((), float(count), dtype=torch.float32))

    def _class_and_boxes(self, predictions: dict, objects: _Objects, pairs: _Pairs,
                         switch: LossSwitch, num_objects: Tensor) -> dict[str, Tensor]:
        """loss_cls, loss_bbox and loss_giou of every output."""
        terms = dict(loss_cls=_zeros(predictions, 'logits'))
        if switch.semantic:
            logits = _stack(predictions, 'logits')
            named = pairs.one_hot(logits, objects.labels[pairs.objects])
            focal = self.loss_cls(
                logits.flatten(0, 2), named.flatten(0, 2), reduction_override='none')
            terms['loss_cls'] = _sums(focal, len(predictions)) / num_objects
        terms['loss_bbox'] = terms['loss_giou'] = _zeros(predictions, 'boxes')
        if switch.box and len(pairs.images):
            boxes = pairs.pick(_stack(predictions, 'boxes')).clamp(0, 1).flatten(0, 1)
            truth = objects.boxes[pairs.objects].flatten(0, 1)
            l1 = self.loss_bbox(boxes, truth, reduction_override='none')
            giou = self.loss_giou(
                bbox_cxcywh_to_xyxy(boxes), bbox_cxcywh_to_xyxy(truth), reduction_override='none')
            terms['loss_bbox'] = _sums(l1, len(predictions)) / num_objects
            terms['loss_giou'] = _sums(giou, len(predictions)) / num_objects
        return _name(predictions, **terms)

    def _confidence(self, predictions: dict, matches: dict[str, list[Match]],
                    targets: Sequence[InstanceData], switch: LossSwitch) -> dict[str, Tensor]:
        """loss_conf of every output but the two-stage one, which the released models leave out."""
        predictions = {key: output for key, output in predictions.items() if key != TWO_STAGE}
        if not switch.confidence:
            return _name(predictions, loss_conf=_zeros(predictions, 'scores'))
        pairs = _pair_up([matches[key] for key in predictions], targets)
        scores = _stack(predictions, 'scores')
        matched = pairs.one_hot(scores, pairs.queries.new_zeros(pairs.queries.shape))
        focal = self.loss_conf(
            scores.flatten(0, 2), matched.flatten(0, 2), reduction_override='none')
        return _name(predictions, loss_conf=_sums(focal, len(predictions)) / scores.shape[2])

    def _masks(self, predictions: dict, mask_features: Tensor, objects: _Objects, pairs: _Pairs,
               switch: LossSwitch, num_objects: Tensor) -> dict[str, Tensor]:
        """loss_mask and loss_dice of every output; only matched queries get a mask."""
        if not switch.mask or not len(pairs.images):
            zeros = _zeros(predictions, 'mask_embeds') + mask_features.sum(dtype=torch.float32) * 0
            return _name(predictions, loss_mask=zeros, loss_dice=zeros)
        embeds = pairs.pick(_stack(predictions, 'mask_embeds'))
        # one product per image for all outputs; unbind keeps the gradient of the features at one
        # copy, where indexing an image would write a full-size zero tensor each time
        logits = torch.cat([
            image_embeds @ features for image_embeds, features in zip(
                embeds.split(pairs.counts, 1), mask_features.flatten(2).unbind())
        ], 1).unflatten(2, mask_features.shape[2:]).float()
        points = self._uncertain_points(logits.detach())
        pred = point_sample(logits.flatten(0, 1).unsqueeze(1), points.flatten(0, 1)).squeeze(1)
        truth = _sample_objects(objects.masks, pairs.objects, points).flatten(0, 1)
        entropy = self.loss_mask(pred, truth, reduction_override='none')
        dice = self.loss_dice(pred, truth, reduction_override='none')
        return _name(
            predictions,
            loss_mask=_sums(entropy, len(predictions)) / (self.num_points * num_objects),
            loss_dice=_sums(dice, len(predictions)) / num_objects)

    def _uncertain_points(self, logits: Tensor) -> Tensor:
        """Points (L, M, P, 2) in 0..1 for masks (L, M, h, w), drawn output by output."""
        return torch.stack([
            uncertain_points(masks, self.num_points, self.oversample_ratio, self.importance_sample_ratio)
            for masks in logits])


def _sample_objects(masks: Tensor, objects: Tensor, points: Tensor) -> Tensor:
    """Values (L, M, P) of each pair's object mask at the pair's points.

    The points are gathered per object, so that the full-size masks (N, H, W) are not repeated for
    each of the L outputs.
    """
    outputs = torch.arange(len(points), device=points.device)[:, None]
    per_object = points.new_zeros(len(masks), *points.shape[:1], *points.shape[2:])
    per_object[objects, outputs] = points
    values = point_sample(masks.unsqueeze(1), per_object.flatten(1, 2))
    return values.view(per_object.shape[:-1])[objects, outputs]


def _pair_up(matches: Sequence[Sequence[Match]], targets: Sequence[InstanceData]) -> _Pairs:
    """Flatten the matches of L outputs."""
    device = targets[0].labels.device
    counts = [len(queries) for queries, _ in matches[0]]
    starts = torch.tensor([0] + [len(target.labels) for target in targets[:-1]]).cumsum(0)
    repeats = torch.tensor(counts)
    images = torch.arange(len(targets)).repeat_interleave(repeats).to(device)
    queries = torch.cat([queries for output in matches for queries, _ in output])
    objects = torch.cat([objects for output in matches for _, objects in output])
    return _Pairs(
        images=images,
        queries=queries.view(len(matches), -1),
        objects=objects.view(len(matches), -1) + starts.repeat_interleave(repeats).to(device),
        counts=counts)


def _stack(predictions: dict[str, dict[str, Tensor]], name: str) -> Tensor:
    """One field of all outputs, (L, B, Q, ...) fp32."""
    return torch.stack([output[name] for output in predictions.values()]).float()


def _zeros(predictions: dict[str, dict[str, Tensor]], name: str) -> Tensor:
    """Exact zeros (L,) that keep the field of each output in the graph."""
    return torch.stack(
        [output[name].sum(dtype=torch.float32) for output in predictions.values()]) * 0


def _sums(elements: Tensor, num_outputs: int) -> Tensor:
    """Sum of each output's elements, (L,)."""
    return elements.view(num_outputs, -1).sum(1)


def _name(predictions: dict, **terms: Tensor) -> dict[str, Tensor]:
    """Losses by name from vectors (L,): 'loss_cls', 'd0.loss_cls', ..."""
    return {
        f'{key}.{term}' if key else term: value
        for term, values in terms.items()
        for key, value in zip(predictions, values.unbind())
    }
