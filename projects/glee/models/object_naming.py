"""Pre-training of a backbone and a text encoder by naming objects, for training from scratch."""
import math

import torch
from mmcv.ops import roi_align
from mmdet.models.detectors.base import BaseDetector
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox_xyxy_to_cxcywh, get_box_tensor
from mmengine.model import BaseModule
from torch import Tensor, nn

from .text_prompt import read_texts


@MODELS.register_module()
class ObjectNaming(BaseDetector):
    """Names object crops; stands in for the ImageNet and CLIP weights of the full recipe.

    Every annotated object of the batch is cut out as a square window around its centre, at the scale of
    the image, and its name is chosen among the batch's names. The detector trained afterwards starts from
    ``backbone.*`` and ``panoptic_head.text_encoder.*``, which have the names of ``GLEE``'s parameters.

    Args:
        backbone (dict): config of the backbone.
        panoptic_head (dict): config of ``NamingHead``.
        crop_size (int): side of the windows, px.
    """

    def __init__(self, backbone: dict, panoptic_head: dict, crop_size: int = 48,
                 data_preprocessor: dict | None = None, init_cfg: dict | None = None, **kwargs) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.panoptic_head = MODELS.build(panoptic_head)
        self.crop_size = crop_size

    def cut(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> tuple[Tensor, Tensor]:
        """Windows (n, 3, S, S) of all objects of (B, 3, H, W) and their labels (n,)."""
        boxes = [get_box_tensor(sample.gt_instances.bboxes) for sample in batch_data_samples]
        index = torch.cat([box.new_full((len(box), 1), i) for i, box in enumerate(boxes)])
        centres = bbox_xyxy_to_cxcywh(torch.cat(boxes))[:, :2].round()
        half = self.crop_size / 2
        windows = torch.cat([index, centres - half, centres + half], 1)
        crops = roi_align(batch_inputs, windows, self.crop_size, 1.0, 1, 'avg', True)
        return crops, torch.cat([sample.gt_instances.labels for sample in batch_data_samples])

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """``loss_cls`` and the accuracy in percent; the samples share one ``text``."""
        texts, _ = read_texts(batch_data_samples)
        crops, labels = self.cut(batch_inputs, batch_data_samples)
        return self.panoptic_head.loss(self.extract_feat(crops), texts[0], labels)

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """Name the annotated objects: ``pred_instances`` with the given boxes, ``labels`` and ``scores``."""
        for image, sample in zip(batch_inputs, batch_data_samples):
            crops, _ = self.cut(image[None], [sample])
            scores = self.panoptic_head(self.extract_feat(crops), sample.text).softmax(-1)
            sample.pred_instances = sample.gt_instances.new(bboxes=sample.gt_instances.bboxes)
            sample.pred_instances.scores, sample.pred_instances.labels = scores.max(-1)
        return batch_data_samples

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Backbone maps of (n, 3, S, S)."""
        return self.backbone(batch_inputs)

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> Tensor:
        """Logits (n, C) of all objects of the batch."""
        crops, _ = self.cut(batch_inputs, batch_data_samples)
        return self.panoptic_head(self.extract_feat(crops), batch_data_samples[0].text)


@MODELS.register_module()
class NamingHead(BaseModule):
    """Logits of pooled backbone features with the embeddings of names.

    Args:
        in_channels (list[int]): channels of the backbone maps; the first (finest) is not used.
        text_encoder (dict): config of the text encoder.
        embed_dims (int): width of the shared space.
        loss_cls (dict): config of the softmax loss.
    """

    def __init__(self, in_channels: list[int], text_encoder: dict, embed_dims: int = 256,
                 loss_cls: dict = dict(type='CrossEntropyLoss'), init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.text_encoder = MODELS.build({'embed_dims': embed_dims, **text_encoder})
        self.image_proj = nn.Linear(sum(in_channels[1:]), embed_dims)
        self.log_scale = nn.Parameter(torch.tensor(1 - math.log(embed_dims) / 2))
        self.loss_cls = MODELS.build(loss_cls)

    def forward(self, feats: tuple[Tensor, ...], names: tuple[str, ...]) -> Tensor:
        """Logits (n, C) of n crops with C names."""
        pooled = torch.cat([feat.mean((2, 3)) for feat in feats[1:]], 1)
        return self.image_proj(pooled) @ self.text_encoder(names).pooled.t() * self.log_scale.exp()

    def loss(self, feats: tuple[Tensor, ...], names: tuple[str, ...], labels: Tensor) -> dict[str, Tensor]:
        """``loss_cls`` and ``accuracy`` in percent."""
        logits = self(feats, names)
        accuracy = (logits.argmax(1) == labels).float().mean() * 100
        return dict(loss_cls=self.loss_cls(logits, labels), accuracy=accuracy)
