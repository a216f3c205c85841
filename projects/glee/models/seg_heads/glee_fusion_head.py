"""From selected queries to instances in the original image (DESIGN section 5 'Test time, image')."""
import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.model import BaseModule
from mmengine.structures import InstanceData, PixelData
from torch import Tensor

from ...structures.selected_queries import Segments, SelectedQueries
from .mask_resize import count_pixels, positive_rows, resize_bands, resize_logits
from .panoptic_fusion import PanopticFusion, fuse_semantic


@MODELS.register_module()
class GLEEFusionHead(BaseModule):
    """Scales boxes, resizes and thresholds masks, and multiplies scores by mask quality.

    It takes the place of mmdet's ``MaskFormerFusionHead``, which assumes softmax scores.

    Args:
        num_things_classes, num_stuff_classes (int): accepted for stock configs; the vocabulary is open.
        chunk_pixels (int): pixels of masks resized at a time. It bounds memory, and on a CPU what fits its cache
            is also several times faster.
        panoptic (dict): ``score_thr``, ``overlap_thr`` and ``temperature`` of ``PanopticFusion``.
        with_masks (bool): False for a model whose masks were not trained: there are none in the results, and their
            quality does not weigh the scores.
        test_cfg (dict | None): set by the detector.
    """

    def __init__(self,
                 num_things_classes: int = 0,
                 num_stuff_classes: int = 0,
                 chunk_pixels: int = 2**22,
                 panoptic: dict = dict(score_thr=0.25, overlap_thr=0.8, temperature=None),
                 with_masks: bool = True,
                 test_cfg: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_things_classes = num_things_classes
        self.num_stuff_classes = num_stuff_classes
        self.chunk_pixels = chunk_pixels
        self.panoptic = panoptic
        self.with_masks = with_masks
        self.test_cfg = test_cfg

    def predict(self,
                selected: list[SelectedQueries],
                mask_logits: list[Tensor],
                batch_data_samples: SampleList,
                rescale: bool = True) -> list[dict[str, InstanceData]]:
        """Post-process a batch.

        Args:
            selected (list[SelectedQueries]): the queries of each image.
            mask_logits (list[Tensor]): (M, h, w) per image at mask-feature resolution.
            batch_data_samples (SampleList): with ``batch_input_shape``, ``img_shape``, ``ori_shape``.
            rescale (bool): return original-image coordinates; else those of the resized image.

        Returns:
            list[dict]: ``ins_results`` with ``bboxes`` xyxy in pixels, ``scores``, ``labels`` and (``with_masks``) bool
            ``masks`` (N, H, W), detections (``mask_index``) best first, as mmdet's metrics of recall expect them, all
            others in the order of the selection; with stuff also ``pan_results`` and ``sem_results``, whose
            ``sem_seg`` (1, H, W) are the maps of ``PanopticFusion`` and ``fuse_semantic``.
        """
        results = []
        for found, logits, sample in zip(selected, mask_logits, batch_data_samples):
            result = dict(ins_results=self._predict_single(found, logits, sample.metainfo, rescale))
            if found.segments is not None:
                result.update(self.predict_maps(found.segments, sample.metainfo, rescale))
            results.append(result)
        return results

    def require_masks(self) -> None:
        """What clicks and tracks rest on.

        Raises:
            ValueError: the model gives none.
        """
        if not self.with_masks:
            raise ValueError('the model was trained on boxes alone and gives no masks (its config has '
                             'panoptic_fusion_head.with_masks=False): clicks and tracking need one that does')

    def predict_maps(self, segments: Segments, meta: dict, rescale: bool = True) -> dict[str, PixelData]:
        """Panoptic and semantic map of one image; arguments as in ``predict``."""
        image_size = meta['img_shape'][:2]
        out_size = meta['ori_shape'][:2] if rescale else image_size
        fusion = PanopticFusion(segments.probs, segments.num_things, out_size, **self.panoptic)
        # written in place: small results kept between large temporary ones would fragment the memory
        semantic = fusion.labels.new_empty(out_size)
        num_rows = max(self.chunk_pixels // (len(segments.masks) * out_size[1]), 1)
        for rows, logits in resize_bands(segments.masks, meta['batch_input_shape'], image_size, out_size, num_rows):
            masks = logits.sigmoid_()
            fusion.add(rows, masks)
            semantic[rows] = fuse_semantic(segments.probs, masks, self.panoptic.get('temperature'))
        panoptic, info = fusion.result()
        return dict(pan_results=PixelData(sem_seg=panoptic[None], metainfo=dict(segments_info=info)),
                    sem_results=PixelData(sem_seg=semantic[None]))

    def _predict_single(self, selected: SelectedQueries, mask_logits: Tensor, meta: dict,
                        rescale: bool) -> InstanceData:
        image_size = meta['img_shape'][:2]
        out_size = meta['ori_shape'][:2] if rescale else image_size
        masks, scores = None, selected.scores
        if self.with_masks:
            masks, quality = self._masks(
                mask_logits, selected.mask_index, meta['batch_input_shape'], image_size, out_size)
            scores = scores * quality
        # Boxes are relative to the padded input; the same factor maps them to the output image.
        height, width = (out * pad / size for out, pad, size in zip(
            out_size, meta['batch_input_shape'], image_size))
        boxes, labels = bbox_cxcywh_to_xyxy(selected.boxes.float()), selected.labels
        for axis, (scale, limit) in enumerate(((width, out_size[1]), (height, out_size[0]))):
            boxes[:, axis::2] = (boxes[:, axis::2] * scale).clamp(0, limit)
        if selected.mask_index is not None:
            scores, order = scores.sort(descending=True, stable=True)
            boxes, labels = boxes[order], labels[order]
            if masks is not None:
                self._reorder(masks, order)
        found = InstanceData(bboxes=boxes, scores=scores, labels=labels)
        if masks is not None:
            found.masks = masks
        return found

    def _reorder(self, masks: Tensor, order: Tensor) -> None:
        """Sort masks (N, H, W) in place, some rows of pixels at a time: a copy of all may not fit the memory."""
        step = max(self.chunk_pixels // max(len(masks) * masks.shape[2], 1), 1)
        for start in range(0, masks.shape[1], step):
            band = masks[:, start:start + step]
            band.copy_(band[order])

    def _masks(self, logits: Tensor, index: Tensor | None, padded: tuple, image: tuple,
               out: tuple) -> tuple[Tensor, Tensor]:
        """Bool masks (N, H, W) of logits (M, h, w), and their mean foreground probability (N,).

        ``index`` (N,) Long names the logits of each mask; without it N = M, one by one.
        """
        if index is not None and logits.device.type != 'cpu':
            logits, index = logits[index], None  # to look for the rows of each mask, the GPU would have to wait
        count = len(logits) if index is None else len(index)
        quality = torch.empty(len(logits), device=logits.device)
        step = self.chunk_pixels // max(padded[0] * padded[1], out[0] * out[1])
        masks = (torch.empty if step else torch.zeros)(count, *out, dtype=torch.bool, device=logits.device)
        if not step:
            for row, logit in enumerate(logits):
                targets = [row] if index is None else (index == row).nonzero()[:, 0].tolist()
                if targets:
                    quality[row] = self._large_mask(logit[None], (padded, image, out), [masks[i] for i in targets])
            return masks, quality if index is None else quality[index]
        for start in range(0, len(logits), step):
            full = resize_logits(logits[start:start + step], padded, image, out)
            inside = full > 0
            if index is None:
                masks[start:start + step] = inside
            else:
                rows = ((index >= start) & (index < start + step)).nonzero()[:, 0]
                masks[rows] = inside[index[rows] - start]
            # the sigmoid of -inf is 0
            foreground = torch.threshold_(full, 0., -torch.inf).sigmoid_().sum((1, 2))
            quality[start:start + step] = foreground / (count_pixels(inside).to(foreground.device) + 1e-6)
        return masks, quality if index is None else quality[index]

    def _large_mask(self, logits: Tensor, sizes: tuple, masks: list[Tensor]) -> Tensor:
        """One mask (1, h, w) in a picture that is larger than a chunk, a few rows at a time, where it can be positive.

        Args:
            logits: of the mask.
            sizes: padded, image and output size.
            masks: (H, W) bool without a true pixel, in each of which it is written.

        Returns:
            Tensor: its mean foreground probability, ().
        """
        # on a CPU what fits its cache, and nothing in vain; on a GPU few steps, and no wait
        within = positive_rows(logits, *sizes) if logits.device.type == 'cpu' else slice(None)
        chunk = self.chunk_pixels // (16 if logits.device.type == 'cpu' else 1)
        num_rows = max(chunk // sizes[2][1], 1)
        total = count = torch.zeros((), dtype=torch.float64, device=logits.device)
        for rows, (full, ) in resize_bands(logits, *sizes, num_rows, within):
            inside = full > 0
            for mask in masks:
                mask[rows] = inside
            count = count + inside.count_nonzero()
            total = total + torch.threshold_(full, 0., -torch.inf).sigmoid_().sum()
        return total / (count + 1e-6)
