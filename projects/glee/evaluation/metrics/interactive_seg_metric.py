"""Interactive segmentation: IoU after the first prompt, number of clicks to a quality."""
import csv
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..functional.unscored import drop_unscored


def number_of_clicks(ious: Sequence[float], threshold: float, limit: int) -> int:
    """First k (from 1) with IoU_k >= threshold, ``limit`` if none of the first ``limit`` reaches it."""
    reached = np.flatnonzero(np.asarray(ious[:limit]) >= threshold)
    return int(reached[0]) + 1 if len(reached) else limit


@METRICS.register_module()
class InteractiveSegMetric(BaseMetric):
    """Scores the IoU curves that ``InteractiveTestLoop`` measures.

    * ``{kind}_mIoU``: mean IoU after the first prompt of that kind.
    * ``{k}-IoU``: mean IoU after k rounds of clicks (kinds with several rounds; those that are not
      'point' carry their name in front, here and below).
    * ``NoC@85``: mean number of clicks to IoU 0.85; an instance that never gets there counts all
      clicks and is one of ``failures@85``.

    Args:
        thresholds (Sequence[float]): IoUs in percent for NoC.
        rounds (Sequence[int]): k of the reported means.
        limits (Sequence[int]): further limits N on the number of clicks, as ``{N}-NoC@85``.
        curves_file (str | None): CSV with the IoU curve of every instance.
        **kwargs: of the base class.
    """

    default_prefix: Optional[str] = 'interactive'

    def __init__(self, thresholds: Sequence[float] = (85, 90), rounds: Sequence[int] = (1, 2, 3, 4, 5),
                 limits: Sequence[int] = (), curves_file: Optional[str] = None, **kwargs) -> None:
        super().__init__(**kwargs)
        self.thresholds, self.rounds, self.limits = tuple(thresholds), tuple(rounds), tuple(limits)
        self.curves_file = curves_file

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the curves of each image: ``curves`` list of dict(kind, object, ious)."""
        self.results += [
            dict(img_path=sample['img_path'],
                 curves=[{key: curve[key] for key in ('kind', 'object', 'ious')} for curve in sample['curves']])
            for sample in data_samples]

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Means over all instances; nothing, which is said, without any."""
        if self.curves_file is not None:
            self._write(results)
        by_kind: Dict[str, list] = {}
        for image in results:
            for curve in image['curves']:
                by_kind.setdefault(curve['kind'], []).append(curve['ious'])
        if not by_kind:
            return drop_unscored(type(self).__name__, dict(mIoU=None))
        metrics = {}
        for kind, curves in by_kind.items():
            metrics[f'{kind}_mIoU'] = float(np.mean([ious[0] for ious in curves]))
            if max(len(ious) for ious in curves) > 1:
                prefix = '' if kind == 'point' else f'{kind}_'
                metrics.update({prefix + name: value for name, value in self._clicks(curves).items()})
        metrics['instances'] = float(len(next(iter(by_kind.values()))))  # the logger writes no integers
        return metrics

    def _clicks(self, curves: List[List[float]]) -> Dict[str, float]:
        limit = max(len(ious) for ious in curves)
        metrics = {f'{k}-IoU': float(np.mean([ious[k - 1] for ious in curves])) for k in self.rounds if k <= limit}
        for threshold in self.thresholds:
            for bound in (limit, *self.limits):
                name = f'NoC@{threshold:g}' if bound == limit else f'{bound}-NoC@{threshold:g}'
                metrics[name] = float(np.mean([number_of_clicks(ious, threshold / 100, bound) for ious in curves]))
            metrics[f'failures@{threshold:g}'] = float(sum(max(ious) < threshold / 100 for ious in curves))
        return metrics

    def _write(self, results: List[dict]) -> None:
        path = Path(self.curves_file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open('w', newline='') as file:
            writer = csv.writer(file)
            writer.writerow(['image', 'object', 'kind', 'IoU after each round'])
            for image in results:
                for curve in image['curves']:
                    writer.writerow([image['img_path'], curve['object'], curve['kind'],
                                     *(f'{iou:.4f}' for iou in curve['ious'])])
