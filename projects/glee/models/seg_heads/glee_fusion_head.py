"""From selected queries to instances in the original image (DESIGN section 5 'Test time, image')."""
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.model import BaseModule
from mmengine.structures import InstanceData, PixelData
from torch import Tensor

from ...structures.selected_queries import Segments, SelectedQueries
from .panoptic_fusion import fuse_panoptic, fuse_semantic


@MODELS.register_module()
class GLEEFusionHead(BaseModule):
    """Scales boxes, resizes and thresholds masks, and multiplies scores by mask quality.

    It takes the place of mmdet's ``MaskFormerFusionHead``, which assumes softmax scores.

    Args:
        num_things_classes, num_stuff_classes (int): accepted for stock configs; the vocabulary is open.
        mask_chunk (int): masks resized at a time, which bounds memory.
        panoptic (dict): ``score_thr``, ``overlap_thr`` and ``temperature`` of ``fuse_panoptic``.
        test_cfg (dict | None): set by the detector.
    """

    def __init__(self,
                 num_things_classes: int = 0,
                 num_stuff_classes: int = 0,
                 mask_chunk: int = 25,
                 panoptic: dict = dict(score_thr=0.25, overlap_thr=0.8, temperature=None),
                 test_cfg: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_things_classes = num_things_classes
        self.num_stuff_classes = num_stuff_classes
        self.mask_chunk = mask_chunk
        self.panoptic = panoptic
        self.test_cfg = test_cfg

    def predict(self,
                selected: list[SelectedQueries],
                mask_logits: list[Tensor],
                batch_data_samples: SampleList,
                rescale: bool = True) -> list[dict[str, InstanceData]]:
        """Post-process a batch.

        Args:
            selected (list[SelectedQueries]): the queries of each image.
            mask_logits (list[Tensor]): (N, h, w) per image at mask-feature resolution.
            batch_data_samples (SampleList): with ``batch_input_shape``, ``img_shape``, ``ori_shape``.
            rescale (bool): return original-image coordinates; else those of the resized image.

        Returns:
            list[dict]: ``ins_results`` with ``bboxes`` xyxy in pixels, ``scores``, ``labels`` and bool
            ``masks`` (N, H, W); with stuff also ``pan_results`` and ``sem_results``, whose ``sem_seg`` (1, H, W)
            are the maps of ``fuse_panoptic`` and ``fuse_semantic``.
        """
        results = []
        for found, logits, sample in zip(selected, mask_logits, batch_data_samples):
            result = dict(ins_results=self._predict_single(found, logits, sample.metainfo, rescale))
            if found.segments is not None:
                result.update(self.predict_maps(found.segments, sample.metainfo, rescale))
            results.append(result)
        return results

    def predict_maps(self, segments: Segments, meta: dict, rescale: bool = True) -> dict[str, PixelData]:
        """Panoptic and semantic map of one image; arguments as in ``predict``."""
        image_size = meta['img_shape'][:2]
        out_size = meta['ori_shape'][:2] if rescale else image_size
        masks = torch.cat([
            resize_logits(part, meta['batch_input_shape'], image_size, out_size).sigmoid()
            for part in segments.masks.split(self.mask_chunk)])
        panoptic, info = fuse_panoptic(segments.probs, masks, segments.num_things, **self.panoptic)
        semantic = fuse_semantic(segments.probs, masks, self.panoptic.get('temperature'))
        return dict(pan_results=PixelData(sem_seg=panoptic[None], metainfo=dict(segments_info=info)),
                    sem_results=PixelData(sem_seg=semantic[None]))

    def _predict_single(self, selected: SelectedQueries, mask_logits: Tensor, meta: dict,
                        rescale: bool) -> InstanceData:
        image_size = meta['img_shape'][:2]
        out_size = meta['ori_shape'][:2] if rescale else image_size
        masks, quality = self._masks(mask_logits, meta['batch_input_shape'], image_size, out_size)
        # Boxes are relative to the padded input; the same factor maps them to the output image.
        height, width = (out * pad / size for out, pad, size in zip(
            out_size, meta['batch_input_shape'], image_size))
        boxes = bbox_cxcywh_to_xyxy(selected.boxes.float())
        boxes = boxes * boxes.new_tensor([width, height, width, height])
        limit = boxes.new_tensor([out_size[1], out_size[0]] * 2)
        return InstanceData(
            bboxes=boxes.clamp(min=0).minimum(limit),
            scores=selected.scores * quality,
            labels=selected.labels,
            masks=masks)

    def _masks(self, logits: Tensor, padded: tuple, image: tuple,
               out: tuple) -> tuple[Tensor, Tensor]:
        """Bool masks (N, H, W) and their mean foreground probability (N,)."""
        masks = torch.zeros(len(logits), *out, dtype=torch.bool, device=logits.device)
        quality = torch.zeros(len(logits), device=logits.device)
        for start in range(0, len(logits), self.mask_chunk):
            rows = slice(start, start + self.mask_chunk)
            full = resize_logits(logits[rows], padded, image, out)
            masks[rows] = full > 0
            quality[rows] = (full.sigmoid() * masks[rows]).sum((1, 2)) / (
                masks[rows].sum((1, 2)) + 1e-6)
        return masks, quality


def resize_logits(logits: Tensor, padded: tuple, image: tuple, out: tuple) -> Tensor:
    """Mask logits (N, h, w) to the padded input, cut to the image, and to the output size: (N, H, W)."""
    full = F.interpolate(logits[:, None].float(), tuple(padded), mode='bilinear',
                         align_corners=False)[..., :image[0], :image[1]]
    return F.interpolate(full, tuple(out), mode='bilinear', align_corners=False)[:, 0]
