"""LVIS AP whose detections are limited by category instead of by image."""
from collections import defaultdict
from typing import List

from lvis import LVISResults
from mmdet.registry import METRICS

from .lvis_eval_metric import LVISEvalMetric


@METRICS.register_module()
class LVISFixedEvalMetric(LVISEvalMetric):
    """Fixed AP of boxes and masks (EVAL.md M3): the best detections of each category in the whole set count.

    No image limits them, so that ``test_cfg.max_per_img`` should be larger than the 300 of LVIS AP for numbers that
    others can be compared with. mmdet's ``LVISFixedAPMetric`` has boxes alone.

    Args:
        topk (int): detections of each category.
        *args, **kwargs: as of ``LVISEvalMetric``.
    """

    def __init__(self, *args, topk: int = 10000, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.topk = topk

    def _limited(self, found: List[dict]) -> LVISResults:
        return LVISResults(self._lvis_api, best_of_each_category(found, self.topk), max_dets=-1)


def best_of_each_category(rows: List[dict], count: int) -> List[dict]:
    """The ``count`` result rows of the highest scores of each category; of equal ones the earlier."""
    by_category = defaultdict(list)
    for row in rows:
        by_category[row['category_id']].append(row)
    return [row for own in by_category.values()
            for row in sorted(own, key=lambda row: row['score'], reverse=True)[:count]]
