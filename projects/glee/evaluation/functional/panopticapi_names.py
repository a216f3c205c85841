"""What mmdet's panoptic metric and loading take from panopticapi, which is in no package index.

``CocoPanopticMetric`` computes the matching itself; of panopticapi it needs two constants, the colour code
of segment ids and the container of the counts. Where panopticapi is not installed, these stand in.
"""
import sys
import types
from collections import defaultdict
from dataclasses import dataclass
from typing import Iterator

import numpy as np
from mmdet.evaluation.functional import panoptic_utils
from mmdet.evaluation.metrics import coco_panoptic_metric

VOID = 0
OFFSET = 256**3


def rgb2id(color: np.ndarray) -> np.ndarray:
    """Segment ids (...,) of colours (..., 3): r + 256 g + 256² b."""
    return np.asarray(color, dtype=np.int64) @ np.array([1, 256, 256**2])


def id2rgb(ids: np.ndarray) -> np.ndarray:
    """Colours (..., 3) uint8 of segment ids (...,)."""
    ids = np.asarray(ids, dtype=np.int64)
    return np.stack([ids % 256, ids // 256 % 256, ids // 256**2 % 256], -1).astype(np.uint8)


@dataclass
class Counts:
    """Sum of IoUs of matched segments, and matched, superfluous and missed segments of one category."""
    iou: float = 0.
    tp: int = 0
    fp: int = 0
    fn: int = 0


class PQStat:
    """Counts per category (Kirillov et al., Panoptic Segmentation, CVPR 2019, equation 1)."""

    def __init__(self) -> None:
        self.counts = defaultdict(Counts)

    def __getitem__(self, category: int) -> Counts:
        return self.counts[category]

    def __iter__(self) -> Iterator:
        return iter(self.counts.items())

    def __iadd__(self, other: 'PQStat') -> 'PQStat':
        for category, counts in other:
            mine = self.counts[category]
            for name in ('iou', 'tp', 'fp', 'fn'):
                setattr(mine, name, getattr(mine, name) + getattr(counts, name))
        return self

    def pq_average(self, categories: dict, isthing: bool | None) -> tuple[dict, dict]:
        """PQ, SQ, RQ averaged over the categories that occur, all or only things or stuff.

        Returns:
            tuple: dict(pq, sq, rq, n) and the same per category, zeros for one that does not occur.
        """
        per_category, present = {}, []
        for category, entry in categories.items():
            if isthing is not None and isthing != (entry['isthing'] == 1):
                continue
            counts = self.counts[category]
            total = counts.tp + 0.5 * counts.fp + 0.5 * counts.fn
            values = dict(pq=0., sq=0., rq=0.)
            if total:
                values = dict(pq=counts.iou / total, sq=counts.iou / counts.tp if counts.tp else 0.,
                              rq=counts.tp / total)
                present.append(values)
            per_category[category] = values
        mean = {name: float(np.mean([values[name] for values in present])) if present else 0.
                for name in ('pq', 'sq', 'rq')}
        return dict(mean, n=len(present)), per_category


def provide() -> None:
    """Give mmdet the names if its import of panopticapi failed."""
    if coco_panoptic_metric.panopticapi is not None:
        return
    package = types.ModuleType('panopticapi', __doc__)
    package.utils = types.SimpleNamespace(rgb2id=rgb2id, id2rgb=id2rgb)
    sys.modules['panopticapi'] = package  # LoadPanopticAnnotations imports it when it is built
    names = dict(VOID=VOID, OFFSET=OFFSET, PQStat=PQStat, rgb2id=rgb2id, id2rgb=id2rgb, panopticapi=package)
    for module in (coco_panoptic_metric, panoptic_utils):
        for name, value in names.items():
            setattr(module, name, value)
