"""Pre-training by naming objects, for training from scratch."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmcv.ops import roi_align
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi, bbox_xyxy_to_cxcywh, get_box_tensor
from torch import Tensor

from .glee import GLEE
from .glee_head import GLEEHead
from .text_prompt import read_texts


@MODELS.register_module()
class ObjectNaming(GLEE):
    """Names given boxes in dense mosaics; stands in for the ImageNet and CLIP weights of the full recipe.

    In training the annotated objects of a batch are cut out and tiled into a few square pictures, so that a
    step names several times as many objects as the images hold for the same area. All parameters have the names of
    ``GLEE``'s, whose training starts from them. ``panoptic_head`` is a ``NamingHead``.

    Args:
        num_mosaics (int): pictures per step.
        grids (Sequence[int]): choices of tiles per side, one drawn per step; the scale of objects varies with it.
        mosaic_size (int): side of the pictures, px.
        context (tuple[float]): range of (side of a tile's window) / (longer side of the box), log-uniform.
        shift (float): largest shift of the window, relative to the longer side of the box.
    """

    def __init__(self, *args, num_mosaics: int = 4, grids: Sequence[int] = (2, 3, 4, 5), mosaic_size: int = 160,
                 context: tuple[float, float] = (1.1, 2.2), shift: float = 0.15, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.num_mosaics, self.grids, self.mosaic_size = num_mosaics, tuple(grids), mosaic_size
        self.context, self.shift = context, shift

    def mosaics(self, batch_inputs: Tensor, boxes: list[Tensor], labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tile random objects of a batch.

        Args:
            batch_inputs (Tensor): (B, 3, H, W).
            boxes (list[Tensor]): (N_b, 4) xyxy of every image, px.
            labels (Tensor): (sum of N_b,) Long.

        Returns:
            tuple: pictures (M, 3, S, S), boxes (M, K, 4) cxcywh relative to them and labels (M, K).
        """
        grid = self.grids[int(torch.randint(len(self.grids), ()))]
        tile, count = self.mosaic_size // grid, self.num_mosaics * grid**2
        rois = bbox2roi(boxes)
        chosen = torch.randperm(len(rois)).repeat(-(-count // len(rois)))[:count].to(rois.device)
        windows, boxes = self._windows(rois[chosen])
        # mmcv's kernel reads channels_last tensors as if they were contiguous.
        tiles = roi_align(batch_inputs.contiguous(), windows, tile, 1.0, 2, 'avg', True)
        tiles = tiles.unflatten(0, (self.num_mosaics, grid, grid)).permute(0, 3, 1, 4, 2, 5)
        corners = torch.cartesian_prod(torch.arange(grid), torch.arange(grid)).flip(1).to(boxes)
        boxes = boxes.unflatten(0, (self.num_mosaics, -1)) + F.pad(corners, (0, 2))
        pictures = tiles.flatten(4, 5).flatten(2, 3).contiguous(memory_format=torch.channels_last)
        return pictures, boxes / grid, labels[chosen].unflatten(0, (self.num_mosaics, -1))

    def _windows(self, rois: Tensor) -> tuple[Tensor, Tensor]:
        """Square windows (n, 5) around jittered boxes (n, 5), and the boxes in them, cxcywh in 0..1."""
        centre = (rois[:, 1:3] + rois[:, 3:]) / 2
        side = (rois[:, 3:] - rois[:, 1:3]).amax(1, keepdim=True)
        centre = centre + (torch.rand_like(centre) * 2 - 1) * self.shift * side
        low, high = torch.tensor(self.context).log().tolist()
        half = side * (low + (high - low) * torch.rand_like(side)).exp() / 2
        windows = torch.cat([rois[:, :1], centre - half, centre + half], 1)
        boxes = (rois[:, 1:] - windows[:, 1:3].repeat(1, 2)) / (2 * half)
        return windows, bbox_xyxy_to_cxcywh(boxes.clamp(0, 1))

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """``loss_softmax`` learns the names, ``loss_bias`` only the bias that detection starts from.

        Returns:
            dict: both losses and the accuracy in percent of every layer of ``NamingHead``.
        """
        texts, _ = read_texts(batch_data_samples)
        boxes = [get_box_tensor(sample.gt_instances.bboxes) for sample in batch_data_samples]
        labels = torch.cat([sample.gt_instances.labels for sample in batch_data_samples])
        pictures, boxes, labels = self.mosaics(batch_inputs, boxes, labels)
        logits = self.panoptic_head(self.extract_feat(pictures), boxes, texts[0])
        labels = labels.expand(len(logits), -1, -1)
        accuracy = (logits.argmax(-1) == labels).float().mean((1, 2)) * 100
        bias = self.panoptic_head.align_bias
        one_hot = F.one_hot(labels, logits.shape[-1]).to(logits)
        losses = dict(
            loss_softmax=F.cross_entropy(logits.flatten(0, 2), labels.flatten()),
            loss_bias=F.binary_cross_entropy_with_logits((logits - bias).detach() + bias, one_hot))
        return losses | {f'accuracy_{i}': value for i, value in enumerate(accuracy)}

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> list[Tensor]:
        """Logits (L + layers, N, C) of the annotated boxes (px of the input) of every image."""
        texts, _ = read_texts(batch_data_samples)
        height, width = batch_inputs.shape[-2:]
        feats = self.extract_feat(batch_inputs)
        logits = []
        for index, sample in enumerate(batch_data_samples):
            boxes = get_box_tensor(sample.gt_instances.bboxes)
            boxes = bbox_xyxy_to_cxcywh(boxes / boxes.new_tensor([width, height, width, height]))
            rows = [feat[index:index + 1] for feat in feats]
            logits.append(self.panoptic_head(rows, boxes[None], texts[index])[:, 0])
        return logits

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """Name the annotated boxes (px of the input): ``labels`` and ``scores`` of ``pred_instances``."""
        for sample, logits in zip(batch_data_samples, self._forward(batch_inputs, batch_data_samples)):
            sample.pred_instances = sample.gt_instances.new(bboxes=sample.gt_instances.bboxes)
            scores, labels = logits[-1].softmax(-1).max(-1)
            sample.pred_instances.scores, sample.pred_instances.labels = scores, labels
        return batch_data_samples


@MODELS.register_module()
class NamingHead(GLEEHead):
    """The path of ``GLEEHead`` from backbone maps to the names of given boxes."""

    def forward(self, feats: Sequence[Tensor], boxes: Tensor, names: Sequence[str]) -> Tensor:
        """Logits (L + layers, B, K, C): of the memory of L levels at the centres of the boxes, then of every layer.

        Args:
            feats (Sequence[Tensor]): backbone maps [(B, c, h, w)].
            boxes (Tensor): (B, K, 4), the boxes to name, cxcywh relative to the picture.
            names (Sequence[str]): the C names.
        """
        embeds = self.text_encoder(names).pooled
        levels = self.pixel_decoder.encode(list(feats))[0][::-1]
        sizes = torch.tensor([level.shape[-2:] for level in levels], device=boxes.device)
        memory = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)
        centres = boxes[:, :, None, :2] * 2 - 1
        content = self.memory_norm(self.memory_proj(torch.stack([
            F.grid_sample(level, centres, align_corners=False)[..., 0].transpose(1, 2) for level in levels
        ])))
        states = self.decoder(content.mean(0).detach(), boxes, memory, sizes, self.box_head)
        hidden = self.decoder.norm(torch.stack([*content, *states.hidden]))
        return hidden @ self.category_embed @ embeds.t() + self.align_bias
