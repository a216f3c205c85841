"""Referring expression comprehension and segmentation in one pass."""
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch
from mmdet.evaluation.functional import bbox_overlaps
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..functional.unscored import drop_unscored


@METRICS.register_module()
class ReferringMetric(BaseMetric):
    """P@0.5, oIoU and mIoU over expressions (EVAL.md M4, M5; the GLEE paper's REC and RES).

    A sample holds one image with K expressions: ``text`` of length K, ``gt_instances`` whose entry
    with label k is the object of expression k, and ``pred_instances`` whose rows carry the index of
    their expression as label. The best-scoring row of an expression counts; an expression without a
    row counts 0. Boxes (xyxy) and masks (bool, H x W) are in pixels of the original image.

    * P@t: share of expressions with box IoU above t.
    * oIoU: sum of intersections over sum of unions of the masks; mIoU: mean of their ratios, 0
      where both masks are empty.
    * blind_P@t: expected P@t of pointing at a random object of the right name, from the sample's
      ``candidates`` (per expression the xyxy boxes of all objects of that name).

    Args:
        iou_thr (float): t.
        inclusive (bool): count IoU == t as correct (``>=``, as RefExpMetric and SEEM do) instead of
            GLEE's strict ``>``.
        with_mask (bool): compute oIoU and mIoU.
        per_source (bool): add every number per ``source`` of the samples, as ``{source}_P@0.5``.
        blind (bool): add the blind score; every sample then needs ``candidates``.
        **kwargs: ``prefix``, ``collect_device`` ... of the base class.

    Raises:
        KeyError: ``masks`` or ``candidates`` are asked for but missing.
        ValueError: an expression without exactly one object, or masks of different sizes.
    """

    default_prefix: Optional[str] = 'referring'

    def __init__(self, iou_thr: float = 0.5, inclusive: bool = False, with_mask: bool = True,
                 per_source: bool = False, blind: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.iou_thr, self.inclusive = iou_thr, inclusive
        self.with_mask, self.per_source, self.blind = with_mask, per_source, blind

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Score the expressions of a batch; one entry per sample, as mmengine collects them."""
        for sample in data_samples:
            rows = best_rows(sample)
            scores = dict(source=sample.get('source', ''), hit=self._hits(sample, rows))
            if self.with_mask:
                scores['overlap'] = mask_overlaps(sample, rows)
            if self.blind:
                scores['blind'] = self._blind_hits(sample)
            self.results.append(scores)

    def _correct(self, iou: np.ndarray) -> np.ndarray:
        return iou >= self.iou_thr if self.inclusive else iou > self.iou_thr

    def _hits(self, sample: dict, rows: List[Optional[int]]) -> List[float]:
        objects = ground_truth_boxes(sample)
        boxes = to_numpy(sample['pred_instances']['bboxes'])
        return [0.0 if row is None else float(self._correct(iou(boxes[row:row + 1], gt[None]))[0])
                for row, gt in zip(rows, objects)]

    def _blind_hits(self, sample: dict) -> List[float]:
        if sample.get('candidates') is None:
            raise KeyError(f'sample {sample.get("img_path")} has no `candidates`, which the blind '
                           'score needs; use ReferDataset and PackGLEEInputs or set blind=False')
        return [float(self._correct(iou(np.asarray(boxes, np.float32), gt[None])).mean())
                for boxes, gt in zip(sample['candidates'], ground_truth_boxes(sample))]

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Numbers over all expressions and, if asked for, over those of each source that has some."""
        metrics = self._summarise(results, '')
        if self.per_source:
            for source in sorted({scores['source'] for scores in results}):
                own = [scores for scores in results if scores['source'] == source]
                metrics.update(self._summarise(own, f'{source}_'))
        return drop_unscored(type(self).__name__, metrics)

    def _summarise(self, results: List[dict], name: str) -> Dict[str, Optional[float]]:
        if not any(scores['hit'] for scores in results):
            return {f'{name}P@{self.iou_thr}': None}
        metrics = {f'{name}P@{self.iou_thr}': float(np.mean(flatten(results, 'hit')))}
        if self.with_mask:
            inter, union = np.array(flatten(results, 'overlap'), dtype=np.float64).T
            metrics[f'{name}oIoU'] = float(inter.sum() / max(union.sum(), 1))
            metrics[f'{name}mIoU'] = float(np.mean(inter / np.maximum(union, 1)))
        if self.blind:
            metrics[f'{name}blind_P@{self.iou_thr}'] = float(np.mean(flatten(results, 'blind')))
        return metrics


def flatten(results: List[dict], key: str) -> list:
    """Per-expression values of all samples."""
    return [value for scores in results for value in scores[key]]


def to_numpy(values) -> np.ndarray:
    """Tensor, array or mmdet box object to float32."""
    values = getattr(values, 'tensor', values)
    return torch.as_tensor(values).detach().cpu().numpy().astype(np.float32)


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of boxes a (N, 4) with the one box b (1, 4), no +1 convention: (N,)."""
    return bbox_overlaps(a.reshape(-1, 4), b)[:, 0]


def best_rows(sample: dict) -> List[Optional[int]]:
    """For each expression the row of its best-scoring prediction, None without any or if the picture is unreadable."""
    if sample.get('unreadable'):
        return [None] * len(sample['text'])
    labels = to_numpy(sample['pred_instances']['labels']).astype(int)
    scores = to_numpy(sample['pred_instances']['scores'])
    rows = [np.flatnonzero(labels == k) for k in range(len(sample['text']))]
    return [int(row[scores[row].argmax()]) if len(row) else None for row in rows]


def ground_truth_rows(sample: dict) -> List[int]:
    """For each expression the row of its object."""
    labels = to_numpy(sample['gt_instances']['labels']).astype(int).tolist()
    if sorted(labels) != list(range(len(sample['text']))):
        raise ValueError(
            f'image {sample.get("img_path")} has {len(sample["text"])} expressions but objects '
            f'with labels {labels}; each expression needs exactly one object')
    return [labels.index(k) for k in range(len(labels))]


def ground_truth_boxes(sample: dict) -> np.ndarray:
    """Box of the object of each expression: (K, 4) xyxy px."""
    return to_numpy(sample['gt_instances']['bboxes']).reshape(-1, 4)[ground_truth_rows(sample)]


def mask_overlaps(sample: dict, rows: List[Optional[int]]) -> List[tuple]:
    """(intersection, union) in pixels for each expression."""
    for name in ('gt_instances', 'pred_instances'):
        if 'masks' not in sample[name]:
            raise KeyError(f'{name} of image {sample.get("img_path")} have no masks; load or '
                           'predict them or set with_mask=False')
    truths = sample['gt_instances']['masks'].to_ndarray().astype(bool)
    predictions = sample['pred_instances']['masks']
    overlaps = []
    for row, truth in zip(rows, truths[ground_truth_rows(sample)]):
        if row is None:
            overlaps.append((0, int(truth.sum())))
            continue
        mask = torch.as_tensor(predictions[row]).detach().cpu().numpy().astype(bool)
        if mask.shape != truth.shape:
            raise ValueError(f'image {sample.get("img_path")}: predicted mask {mask.shape} and '
                             f'annotated mask {truth.shape} differ in size; load annotations at '
                             'the original size (after the resize) at test')
        overlaps.append((int((mask & truth).sum()), int((mask | truth).sum())))
    return overlaps
