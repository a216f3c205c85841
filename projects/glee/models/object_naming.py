"""Pre-training by naming objects, for training from scratch."""
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
    """Names crops of annotated boxes; stands in for the ImageNet and CLIP weights of the full recipe.

    A crop costs a tenth of an image and shows one object, so that names are learned much sooner than by
    detection. All parameters have the names of ``GLEE``'s, whose training starts from them. ``panoptic_head``
    is a ``NamingHead``.

    Args:
        crop_size (int): side of the square crops, px.
        context (tuple[float]): range of (side of the square crop) / (longer side of the box), drawn
            log-uniformly in training; its geometric mean in evaluation.
        shift (float): largest shift of the crop in training, relative to the longer side of the box.
    """

    def __init__(self, *args, crop_size: int = 48, context: tuple[float, float] = (1.1, 2.2),
                 shift: float = 0.15, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.crop_size, self.context, self.shift = crop_size, context, shift

    def crop(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> tuple[Tensor, Tensor]:
        """Crops (n, 3, crop_size, crop_size) around all boxes of the batch, and the boxes in them."""
        rois = bbox2roi([get_box_tensor(sample.gt_instances.bboxes) for sample in batch_data_samples])
        centre = (rois[:, 1:3] + rois[:, 3:]) / 2
        side = (rois[:, 3:] - rois[:, 1:3]).amax(1, keepdim=True)
        low, high = torch.tensor(self.context).log().tolist()
        draw = torch.rand_like(side) if self.training else torch.full_like(side, 0.5)
        if self.training:
            centre = centre + (torch.rand_like(centre) * 2 - 1) * self.shift * side
        half = side * (low + (high - low) * draw).exp() / 2
        windows = torch.cat([rois[:, :1], centre - half, centre + half], 1)
        # mmcv's kernel reads channels_last tensors as if they were contiguous.
        crops = roi_align(batch_inputs.contiguous(), windows, self.crop_size, 1.0, 2, 'avg', True)
        crops = crops.contiguous(memory_format=torch.channels_last)
        boxes = bbox_xyxy_to_cxcywh((rois[:, 1:] - windows[:, 1:3].repeat(1, 2)) / (2 * half))
        return crops, boxes.clamp(0, 1)

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> Tensor:
        """Logits (levels, n, C) of all boxes of the batch; the samples share one ``text``."""
        texts, _ = read_texts(batch_data_samples)
        crops, boxes = self.crop(batch_inputs, batch_data_samples)
        return self.panoptic_head(self.extract_feat(crops), boxes, texts[0])

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """``loss_softmax`` learns the names, ``loss_sigmoid`` the scale and bias that detection starts from.

        Returns:
            dict: both losses and the accuracy in percent of every layer of ``NamingHead``.
        """
        logits = self._forward(batch_inputs, batch_data_samples)
        labels = torch.cat([sample.gt_instances.labels for sample in batch_data_samples])
        labels = labels.expand(len(logits), -1)
        accuracy = (logits.argmax(-1) == labels).float().mean(1) * 100
        one_hot = F.one_hot(labels, logits.shape[-1]).to(logits)
        losses = dict(
            loss_softmax=F.cross_entropy(logits.flatten(0, 1), labels.flatten()),
            loss_sigmoid=F.binary_cross_entropy_with_logits(logits, one_hot) * logits.shape[-1])
        return losses | {f'accuracy_{i}': value for i, value in enumerate(accuracy)}

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """Name the annotated boxes (in pixels of the input): ``labels`` and ``scores`` of ``pred_instances``."""
        counts = [len(sample.gt_instances) for sample in batch_data_samples]
        scores = self._forward(batch_inputs, batch_data_samples).softmax(-1).mean(0).split(counts)
        for sample, score in zip(batch_data_samples, scores):
            sample.pred_instances = sample.gt_instances.new(bboxes=sample.gt_instances.bboxes)
            sample.pred_instances.scores, sample.pred_instances.labels = score.max(-1)
        return batch_data_samples


@MODELS.register_module()
class NamingHead(GLEEHead):
    """The path of ``GLEEHead`` from backbone maps to the names of given boxes."""

    def forward(self, feats: tuple[Tensor, ...], boxes: Tensor, names: tuple[str, ...]) -> Tensor:
        """Logits (1 + layers, n, C) of n crops with C names: two-stage, then every decoder layer.

        Args:
            feats (tuple[Tensor]): backbone maps [(n, c, h, w)] of the crops.
            boxes (Tensor): (n, 4), the box to name in every crop, cxcywh relative to the crop.
            names (tuple[str]): the names.
        """
        embeds = self.text_encoder(names).pooled[None]
        levels = self.pixel_decoder.encode(list(feats))[0][::-1]
        sizes = [tuple(level.shape[-2:]) for level in levels]
        memory = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)
        points = (boxes[:, None, None, :2] * 2 - 1)
        content = torch.cat([
            F.grid_sample(level, points, align_corners=False).flatten(2).transpose(1, 2) for level in levels
        ], 1)
        content = self.memory_norm(self.memory_proj(content))
        query = content.mean(1, keepdim=True)
        states = self.decoder(query.detach(), boxes[:, None], memory, torch.tensor(sizes, device=memory.device),
                              self.box_head)
        hidden = torch.cat([content, *states.hidden], 1).transpose(0, 1)
        return self._align(self.decoder.norm(hidden), embeds)
