"""gIoU and cIoU of reasoning segmentation."""
from typing import Optional, Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric


@METRICS.register_module()
class ReasonSegMetric(BaseMetric):
    """gIoU, the mean of the IoU of all questions, and cIoU, the sum of intersections over the sum of unions (EVAL.md
    M20, LISA).

    All masks of an answer are one. Pixels of ``ignored`` do not count; where neither answer nor truth has a pixel the
    IoU is 1. Samples with a ``kind`` (ReasonSeg: 'short', 'long') are also scored by kind, if there are several.

    Args:
        **kwargs: ``prefix``, ``collect_device`` ... of the base class.
    """

    default_prefix: Optional[str] = 'reason_seg'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Intersection and union of every sample."""
        for sample in data_samples:
            truth = np.any(sample['gt_masks'], axis=0)
            masks = np.asarray(sample['pred_instances']['masks'])
            found = masks.any(0) if len(masks) else np.zeros_like(truth)
            counts = np.ones_like(truth) if sample.get('ignored') is None else ~sample['ignored']
            self.results.append(dict(
                kind=sample.get('kind', ''), inter=int((truth & found & counts).sum()),
                union=int(((truth | found) & counts).sum())))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Of all samples, and of each kind."""
        scores = _scores(results, '')
        kinds = sorted({result['kind'] for result in results})
        if len(kinds) > 1:
            for kind in kinds:
                scores.update(_scores([result for result in results if result['kind'] == kind], f'{kind}_'))
        return scores


def _scores(results: list[dict], name: str) -> dict[str, float]:
    inter, union = (np.array([result[key] for result in results], float) for key in ('inter', 'union'))
    ious = np.where(union == 0, 1., inter / (union + 1e-5))
    return {f'{name}gIoU': float(ious.mean()), f'{name}cIoU': float(inter.sum() / (union.sum() + 1e-10))}
