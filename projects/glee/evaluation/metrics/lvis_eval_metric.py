"""LVIS AP with the lvis package on current numpy."""
import logging
import types
from typing import Callable, Dict, List, Optional, Sequence

import numpy as np
from lvis import LVIS, LVISEval, LVISResults
from mmdet.evaluation.metrics import LVISMetric
from mmdet.registry import METRICS
from mmengine.fileio import dump
from mmengine.logging import MMLogger

from ...datasets.store.broken_rows import BrokenRows, report
from ...datasets.store.rows import read_id_list
from ...structures.masks import empty_mask
from ...structures.row_values import BrokenRow
from ..functional.coco_truth import TruthFile, without_unreadable
from ..functional.unscored import drop_unscored

FEDERATION = ('neg_category_ids', 'not_exhaustive_category_ids')
FREQUENCIES = ('r', 'c', 'f')


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
        self.truth = TruthFile(ann_file, 'bbox' in self.metrics, 'segm' in self.metrics, self.backend_args)
        check_federation(self.truth.content, ann_file)
        self._lvis_api = LVIS.__new__(LVIS)  # filled with the truth once the names of the data set are known

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect a batch; nothing counts as found in pictures that could not be read."""
        super().process(data_batch, without_unreadable(data_samples))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """``bbox_AP`` ... ``segm_APf``, without those of which the file has no object.

        With ``outfile_prefix`` it writes files of results, which have the ids of ``ann_file``.
        """
        if self.truth.learn_sizes(gt for gt, _ in results):
            check_federation(self.truth.content, self.truth.path)
        categories = self._category_ids()
        predictions = [dict(result, img_id=self.truth.image_id(result['img_id'])) for _, result in results]
        content, images, numbers = self.truth.numbered(categories)
        self._lvis_api = lvis_of(content, numbers)
        metrics = {}
        for metric in self.metrics:
            found = lvis_results(predictions, categories, metric)
            if self.outfile_prefix is not None:
                dump(found, f'{self.outfile_prefix}.{metric}.json')
            if metric == 'segm' and self.truth.without_masks():
                drop_unscored(type(self).__name__, dict(segm_AP=None))
            elif not self.format_only:
                found = [dict(row, image_id=images[row['image_id']], category_id=numbers[row['category_id']])
                         for row in found]
                metrics.update(self._evaluate(metric, found or [self._nothing_found(metric)]))
        return metrics

    def _nothing_found(self, metric: str) -> dict:
        """A result without area, which matches no object: the lvis package reads no empty list."""
        image = self._lvis_api.dataset['images'][0]
        row = dict(image_id=image['id'], category_id=1, score=0.0)
        shape = dict(bbox=[0., 0., 0., 0.]) if metric == 'bbox' else dict(
            segmentation=empty_mask(image['height'] or 1, image['width'] or 1))
        return dict(row, **shape)

    def _category_ids(self) -> list:
        """Category id of each label: of its name, or where the file spells all names otherwise, of its position."""
        categories, names = self.truth.content['categories'], self.dataset_meta['classes']
        if len(names) == len(categories) and not {category['name'] for category in categories} >= set(names):
            return [category['id'] for category in categories]
        return self.truth.category_ids(names)

    def _evaluate(self, metric: str, found: List[dict]) -> Dict[str, float]:
        log = logging.getLogger(LVISResults.__module__)
        log.disabled = True  # it warns that results come from memory
        try:
            evaluation = CurrentNumpyLVISEval(self._lvis_api, self._limited(found), metric)
        finally:
            log.disabled = False
        evaluation.run()
        numbers = evaluation.get_results()
        metrics = {f'{metric}_{item}': float(numbers[item]) for item in self.metric_items or self.items}
        if self.classwise:
            metrics.update(self._classwise(evaluation))
        metrics = drop_unscored(type(self).__name__, metrics, missing=-1)
        MMLogger.get_current_instance().info('LVIS: ' + ', '.join(f'{k} {value:.4f}' for k, value in metrics.items()))
        return metrics

    def _limited(self, found: List[dict]) -> LVISResults:
        """The results that count."""
        return LVISResults(self._lvis_api, found)

    def _classwise(self, evaluation: LVISEval) -> Dict[str, float]:
        # (IoU thresholds, recalls, categories, areas); area 0 is all
        precision = evaluation.eval['precision'][..., 0]
        metrics = {}
        for i, category_id in enumerate(evaluation.params.cat_ids):
            valid = precision[:, :, i][precision[:, :, i] > -1]
            name = self._lvis_api.cats[category_id]['name']
            metrics[f'{name}_precision'] = float(valid.mean()) if valid.size else float('nan')
        return metrics


def check_federation(content: dict, path: str) -> None:
    """Read what the federated rules need, in place: lists of ids of the file's own categories.

    A list that is missing or null in some images alone is empty.

    Raises:
        ValueError: images or categories lack it; file and row are named.
    """
    known, broken = {category['id']: category for category in content['categories']}, BrokenRows()
    for key in FEDERATION:
        rows = content['images']
        if rows and not any(row.get(key) is not None for row in rows):
            raise _no_lvis_file(path, f'{key} is missing for id {rows[0]["id"]} of `images`')
        for row in rows:
            if row.get(key) is None:
                broken.note(f'image without {key}: an empty list', row.where)
            try:
                row[key] = read_id_list(row, key, known)
            except BrokenRow as problem:
                raise _no_lvis_file(path, f'{row.where} has a {problem}') from None
    for row in content['categories']:
        if row.get('frequency') not in FREQUENCIES:
            raise _no_lvis_file(path, f'frequency is missing for id {row["id"]} of `categories`, or none of '
                                      f'{FREQUENCIES}')
    report({}, path, notes=broken.notes)


def _no_lvis_file(path: str, why: str) -> ValueError:
    return ValueError(f'{path}: {why}: it is no LVIS file; for AP without the federated rules use CocoEvalMetric')


def lvis_of(content: dict, categories: dict) -> LVIS:
    """The API of the lvis package over the content of a file.

    Args:
        content: of the file, its ids numbered.
        categories: number of each category by its id in the file, which the federated lists have.
    """
    content = dict(content, images=[
        dict(image, **{key: [categories[identifier] for identifier in image[key]] for key in FEDERATION})
        for image in content['images']])
    lvis = LVIS.__new__(LVIS)
    lvis.logger = logging.getLogger('lvis.lvis')
    lvis.dataset = content
    lvis._create_index()
    return lvis


def lvis_results(predictions: List[dict], category_ids: list, metric: str) -> List[dict]:
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
