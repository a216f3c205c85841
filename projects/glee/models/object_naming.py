"""Pre-training of a backbone and a text encoder by naming objects, for training from scratch."""
import math

import torch
from mmcv.ops import roi_align
from mmdet.models.detectors.base import BaseDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi, get_box_tensor
from mmengine.model import BaseModule
from torch import Tensor, nn

from .text_prompt import read_texts


@MODELS.register_module()
class ObjectNaming(BaseDetector):
    """Names given boxes; stands in for the ImageNet and CLIP weights of the full recipe.

    The features of every annotated box are compared with the names of the batch. The detector trained
    afterwards starts from ``backbone.*`` and ``panoptic_head.text_encoder.*``, which have the names of
    ``GLEE``'s parameters.

    Args:
        backbone (dict): config of the backbone.
        panoptic_head (dict): config of ``NamingHead``.
    """

    def __init__(self, backbone: dict, panoptic_head: dict, data_preprocessor: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.panoptic_head = MODELS.build(panoptic_head)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Backbone maps of (B, 3, H, W)."""
        return self.backbone(batch_inputs)

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> Tensor:
        """Logits (n, C) of all boxes of the batch; the samples share one ``text``."""
        texts, _ = read_texts(batch_data_samples)
        rois = bbox2roi([get_box_tensor(sample.gt_instances.bboxes) for sample in batch_data_samples])
        return self.panoptic_head(self.extract_feat(batch_inputs), rois, batch_inputs.shape[-1], texts[0])

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """``loss_cls`` and the accuracy in percent."""
        logits = self._forward(batch_inputs, batch_data_samples)
        labels = torch.cat([sample.gt_instances.labels for sample in batch_data_samples])
        accuracy = (logits.argmax(1) == labels).float().mean() * 100
        return dict(loss_cls=self.panoptic_head.loss_cls(logits, labels), accuracy=accuracy)

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """Name the annotated boxes (in pixels of the input): ``labels`` and ``scores`` of ``pred_instances``."""
        counts = [len(sample.gt_instances) for sample in batch_data_samples]
        scores = self._forward(batch_inputs, batch_data_samples).softmax(-1).split(counts)
        for sample, score in zip(batch_data_samples, scores):
            sample.pred_instances = sample.gt_instances.new(bboxes=sample.gt_instances.bboxes)
            sample.pred_instances.scores, sample.pred_instances.labels = score.max(-1)
        return batch_data_samples


@MODELS.register_module()
class NamingHead(BaseModule):
    """Logits of pooled backbone features with the embeddings of names.

    Args:
        in_channels (list[int]): channels of the backbone maps; the first (finest) is not used.
        text_encoder (dict): config of the text encoder.
        embed_dims (int): width of the shared space.
        roi_size (int): cells per side of the pooled features.
        loss_cls (dict): config of the softmax loss.
    """

    def __init__(self, in_channels: list[int], text_encoder: dict, embed_dims: int = 256, roi_size: int = 3,
                 loss_cls: dict = dict(type='CrossEntropyLoss'), init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.roi_size = roi_size
        self.text_encoder = MODELS.build({'embed_dims': embed_dims, **text_encoder})
        self.image_proj = nn.Linear(sum(in_channels[1:]) * roi_size**2, embed_dims)
        self.log_scale = nn.Parameter(torch.tensor(1 - math.log(embed_dims) / 2))
        self.loss_cls = MODELS.build(loss_cls)

    def forward(self, feats: tuple[Tensor, ...], rois: Tensor, width: int, names: tuple[str, ...]) -> Tensor:
        """Logits (n, C) of n boxes with C names.

        Args:
            feats (tuple[Tensor]): backbone maps [(B, c, h, w)].
            rois (Tensor): (n, 5) image index and xyxy in pixels of the padded input.
            width (int): width of the padded input, px.
            names (tuple[str]): the names.
        """
        pooled = torch.cat([
            roi_align(feat, rois, self.roi_size, feat.shape[-1] / width, 2, 'avg', True) for feat in feats[1:]
        ], 1)
        embeds = self.text_encoder(names).pooled
        return self.image_proj(pooled.flatten(1)) @ embeds.t() * self.log_scale.exp()
