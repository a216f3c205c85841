"""LVIS AP with the lvis package on current numpy."""
import logging
import os.path as osp
import tempfile
import types
from typing import Callable, Dict, List, Optional, Sequence

import numpy as np
from lvis import LVIS, LVISEval, LVISResults
from mmdet.evaluation.metrics import LVISMetric
from mmdet.registry import METRICS
from mmengine.fileio import dump
from mmengine.logging import MMLogger

from ...structures.masks import empty_mask
from ..functional.coco_truth import load_truth, without_unreadable
from ..functional.unscored import drop_unscored


def with_numpy_float(function: Callable) -> Callable:
    """A copy of ``function`` whose own ``np`` still has the removed alias ``np.float``.

    Neither numpy nor the module of ``function`` is changed.
    """
    old_numpy = types.SimpleNamespace(**{**vars(np), 'float': float})
    return types.FunctionType(
        function.__code__, {**function.__globals__, 'np': old_numpy}, function.__name__,
        function.__defaults__, function.__closure__)


class CurrentNumpyLVISEval(LVISEval):
    """``lvis.LVISEval`` 0.5.3, whose ``accumulate`` uses ``np.float`` (gone since numpy 1.24)."""

    accumulate = with_numpy_float(LVISEval.accumulate)


@METRICS.register_module()
class LVISEvalMetric(LVISMetric):
    """Federated AP of LVIS, at most 300 detections per image (EVAL.md M2).

    mmdet's ``LVISMetric`` with three differences: it runs on current numpy; for masks the boxes are
    left out of the results, so that a detection's area is that of its mask; numbers are not rounded
    to three digits and a model that finds nothing has AP 0 instead of none.

    Args:
        metric (str | list[str]): 'bbox' and/or 'segm'.
        **kwargs: as in ``LVISMetric``; ``ann_file`` is required.

    Raises:
        ValueError: another metric, no ``ann_file``, or the data set's names are not the file's.
    """

    items = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'APr', 'APc', 'APf')

    def __init__(self, ann_file: Optional[str] = None, *args, **kwargs) -> None:
        super().__init__(None, *args, **kwargs)
        unknown = set(self.metrics) - {'bbox', 'segm'}
        if unknown:
            raise ValueError(f"LVISEvalMetric computes 'bbox' and 'segm', not {sorted(unknown)}")
        if ann_file is None:
            raise ValueError('LVISEvalMetric needs `ann_file`: the federated rules (negative and '
                             'not exhaustive categories, frequencies) stand there')
        truth = load_truth(ann_file, 'bbox' in self.metrics, 'segm' in self.metrics, self.backend_args)
        self._lvis_api = lvis_of(truth, ann_file)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect a batch; nothing counts as found in pictures that could not be read."""
        super().process(data_batch, without_unreadable(data_samples))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """``bbox_AP`` ... ``segm_APf``, without those of which the file has no object."""
        category_ids = self._category_ids()
        predictions = [prediction for _, prediction in results]
        metrics = {}
        with tempfile.TemporaryDirectory() as folder:
            prefix = self.outfile_prefix or osp.join(folder, 'results')
            for metric in self.metrics:
                path = f'{prefix}.{metric}.json'
                found = lvis_results(predictions, category_ids, metric)
                dump(found, path)
                if not self.format_only:
                    metrics.update(self._evaluate(metric, found or [self._nothing_found(category_ids, metric)]))
        return metrics

    def _nothing_found(self, category_ids: List[int], metric: str) -> dict:
        """A result without area, which matches no object: the lvis package reads no empty list."""
        image = self._lvis_api.dataset['images'][0]
        row = dict(image_id=image['id'], category_id=category_ids[0], score=0.0)
        shape = dict(bbox=[0., 0., 0., 0.]) if metric == 'bbox' else dict(
            segmentation=empty_mask(image['height'], image['width']))
        return dict(row, **shape)

    def _category_ids(self) -> List[int]:
        """Category id of each label, in the order of the file as the data sets have it."""
        ids = self._lvis_api.get_cat_ids()
        names = self.dataset_meta['classes']
        if len(names) == len(ids):
            return ids
        by_name = {self._lvis_api.cats[i]['name']: i for i in ids}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise ValueError(f'the data set has {len(names)} names and the annotation file '
                             f'{len(ids)}, which lacks {missing[:5]}')
        return [by_name[name] for name in names]

    def _evaluate(self, metric: str, found: List[dict]) -> Dict[str, float]:
        evaluation = CurrentNumpyLVISEval(self._lvis_api, LVISResults(self._lvis_api, found), metric)
        evaluation.run()
        numbers = evaluation.get_results()
        metrics = {f'{metric}_{item}': float(numbers[item]) for item in self.metric_items or self.items}
        if self.classwise:
            metrics.update(self._classwise(evaluation))
        metrics = drop_unscored(type(self).__name__, metrics, missing=-1)
        MMLogger.get_current_instance().info('LVIS: ' + ', '.join(f'{k} {value:.4f}' for k, value in metrics.items()))
        return metrics

    def _classwise(self, evaluation: LVISEval) -> Dict[str, float]:
        # (IoU thresholds, recalls, categories, areas); area 0 is all
        precision = evaluation.eval['precision'][..., 0]
        metrics = {}
        for i, category_id in enumerate(evaluation.params.cat_ids):
            valid = precision[:, :, i][precision[:, :, i] > -1]
            name = self._lvis_api.cats[category_id]['name']
            metrics[f'{name}_precision'] = float(valid.mean()) if valid.size else float('nan')
        return metrics


def lvis_of(content: dict, path: str) -> LVIS:
    """The API of the lvis package over the content of a file.

    Raises:
        ValueError: images or categories lack what the federated rules need; file and row are named.
    """
    for key, kind, rows in (('neg_category_ids', list, 'images'), ('not_exhaustive_category_ids', list, 'images'),
                            ('frequency', str, 'categories')):
        for row in content[rows]:
            if not isinstance(row.get(key), kind):
                raise ValueError(f'{path}: {key} is missing for id {row["id"]} of `{rows}`: it is no LVIS file; for AP '
                                 'without the federated rules use CocoEvalMetric')
    lvis = LVIS.__new__(LVIS)
    lvis.logger = logging.getLogger('lvis.lvis')
    lvis.dataset = content
    lvis._create_index()
    return lvis


def lvis_results(predictions: List[dict], category_ids: List[int], metric: str) -> List[dict]:
    """Rows of a result file: boxes as xywh for 'bbox', RLE masks alone for 'segm'."""
    rows = []
    for prediction in predictions:
        scores = prediction['scores']
        if metric == 'segm':
            scores = prediction.get('mask_scores', scores)
        for i, label in enumerate(prediction['labels']):
            row = dict(image_id=prediction['img_id'], category_id=category_ids[label],
                       score=float(scores[i]))
            if metric == 'bbox':
                x1, y1, x2, y2 = map(float, prediction['bboxes'][i])
                row['bbox'] = [x1, y1, x2 - x1, y2 - y1]
            else:
                rle = prediction['masks'][i]
                counts = rle['counts']
                row['segmentation'] = dict(
                    size=list(map(int, rle['size'])),
                    counts=counts.decode() if isinstance(counts, bytes) else counts)
            rows.append(row)
    return rows
