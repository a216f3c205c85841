"""From selected queries to instances in the original image (DESIGN section 5 'Test time, image')."""
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor


@MODELS.register_module()
class GLEEFusionHead(BaseModule):
    """Scales boxes, resizes and thresholds masks, and multiplies scores by mask quality.

    It takes the place of mmdet's ``MaskFormerFusionHead``, which assumes softmax scores.

    Args:
        num_things_classes, num_stuff_classes (int): accepted for stock configs; the vocabulary is open.
        mask_chunk (int): masks resized at a time, which bounds memory.
        test_cfg (dict | None): set by the detector.
    """

    def __init__(self,
                 num_things_classes: int = 0,
                 num_stuff_classes: int = 0,
                 mask_chunk: int = 25,
                 test_cfg: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_things_classes = num_things_classes
        self.num_stuff_classes = num_stuff_classes
        self.mask_chunk = mask_chunk
        self.test_cfg = test_cfg

    def predict(self,
                instances: list[InstanceData],
                mask_logits: list[Tensor],
                batch_data_samples: SampleList,
                rescale: bool = True) -> list[dict[str, InstanceData]]:
        """Post-process a batch.

        Args:
            instances (list[InstanceData]): ``scores``, ``labels`` and ``boxes`` (cxcywh relative to the
                padded input) of the selected queries.
            mask_logits (list[Tensor]): (N, h, w) per image at mask-feature resolution.
            batch_data_samples (SampleList): with ``batch_input_shape``, ``img_shape``, ``ori_shape``.
            rescale (bool): return original-image coordinates; else those of the resized image.

        Returns:
            list[dict]: ``ins_results`` with ``bboxes`` xyxy in pixels, ``scores``, ``labels`` and bool
            ``masks`` (N, H, W).
        """
        return [
            dict(ins_results=self._predict_single(*args, sample.metainfo, rescale))
            for *args, sample in zip(instances, mask_logits, batch_data_samples)
        ]

    def _predict_single(self, instances: InstanceData, mask_logits: Tensor, meta: dict,
                        rescale: bool) -> InstanceData:
        image_size = meta['img_shape'][:2]
        out_size = meta['ori_shape'][:2] if rescale else image_size
        masks, quality = self._masks(mask_logits, meta['batch_input_shape'], image_size, out_size)
        # Boxes are relative to the padded input; the same factor maps them to the output image.
        height, width = (out * pad / size for out, pad, size in zip(
            out_size, meta['batch_input_shape'], image_size))
        boxes = bbox_cxcywh_to_xyxy(instances.boxes.float())
        boxes = boxes * boxes.new_tensor([width, height, width, height])
        limit = boxes.new_tensor([out_size[1], out_size[0]] * 2)
        return InstanceData(
            bboxes=boxes.clamp(min=0).minimum(limit),
            scores=instances.scores * quality,
            labels=instances.labels,
            masks=masks)

    def _masks(self, logits: Tensor, padded: tuple, image: tuple,
               out: tuple) -> tuple[Tensor, Tensor]:
        """Bool masks (N, H, W) and their mean foreground probability (N,)."""
        masks = torch.zeros(len(logits), *out, dtype=torch.bool, device=logits.device)
        quality = torch.zeros(len(logits), device=logits.device)
        for start in range(0, len(logits), self.mask_chunk):
            rows = slice(start, start + self.mask_chunk)
            full = F.interpolate(logits[rows, None].float(), tuple(padded), mode='bilinear',
                                 align_corners=False)[..., :image[0], :image[1]]
            full = F.interpolate(full, tuple(out), mode='bilinear', align_corners=False)[:, 0]
            masks[rows] = full > 0
            quality[rows] = (full.sigmoid() * masks[rows]).sum((1, 2)) / (
                masks[rows].sum((1, 2)) + 1e-6)
        return masks, quality
