"""One number for several data sets: the plain mean of each set's own."""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric

from ..functional.unscored import drop_unscored
from .coco_eval_metric import CocoEvalMetric


@METRICS.register_module()
class MeanOfSetsMetric(BaseMetric):
    """AP of each of several COCO-like sets and the mean over sets, as ODinW reports it (EVAL.md M23).

    The sets are tested together (``MixtureDataset``); a sample's ``source`` (``SetSource``) says whose it is. Each set
    asks for all names of its file, in the file's order, as ``TextCocoDataset`` without ``metainfo`` does.
    Numbers are ``{set}_bbox_mAP`` ... and ``mean_bbox_mAP`` ..., the mean over the sets that have the number.

    Args:
        sets (dict[str, dict]): a ``CocoEvalMetric`` by the source of its set. (mmengine takes a test_evaluator with
            ``metrics`` for an evaluator.)
        **kwargs: ``prefix``, ``collect_device`` of the base class.

    Raises:
        ValueError: a metric is another one, a sample comes from none of the sets, or asks for another number of names
            than its file has.
    """

    default_prefix: Optional[str] = 'sets'

    def __init__(self, sets: Dict[str, dict], **kwargs) -> None:
        super().__init__(**kwargs)
        self.metrics = {name: METRICS.build(metric) for name, metric in sets.items()}
        for name, metric in self.metrics.items():
            if not isinstance(metric, CocoEvalMetric):
                raise ValueError(f'MeanOfSetsMetric: the metric of {name!r} must be a CocoEvalMetric, not '
                                 f'{type(metric).__name__}')
            metric.dataset_meta = dict(classes=tuple(row['name'] for row in metric.truth.content['categories']))

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Hand each sample to the metric of its set and keep what that remembers, with the set's name."""
        for sample in data_samples:
            name = sample.get('source')
            if name not in self.metrics:
                raise ValueError(f'a sample of the source {name!r}, but MeanOfSetsMetric has {list(self.metrics)}; '
                                 'SetSource must name one of them')
            metric = self.metrics[name]
            count = len(metric.dataset_meta['classes'])
            if len(sample['text']) != count:
                raise ValueError(f'the set {name!r} asks for {len(sample["text"])} names, but {metric.ann_file} has '
                                 f'{count} categories; give it one prompt for each')
            metric.process(data_batch, [sample])
            self.results += [(name, result) for result in metric.results]
            metric.results = []

    def compute_metrics(self, results: List[Tuple[str, Any]]) -> Dict[str, float]:
        """Numbers of every set and their means; a set of which nothing was tested has none."""
        by_set: Dict[str, Dict[str, float]] = {}
        for name, metric in self.metrics.items():
            own = [result for source, result in results if source == name]
            by_set[name] = metric.compute_metrics(own) if own else {}
        kinds = dict.fromkeys(kind for numbers in by_set.values() for kind in numbers)
        found = {f'{name}_{kind}': value for name, numbers in by_set.items() for kind, value in numbers.items()}
        means = {f'mean_{kind}': float(np.mean([numbers[kind] for numbers in by_set.values() if kind in numbers]))
                 for kind in kinds}
        missing = {f'{name}_bbox_mAP': None for name, numbers in by_set.items() if not numbers}
        return drop_unscored(type(self).__name__, {**found, **missing, **means})
