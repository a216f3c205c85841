"""Panoptic quality on COCO's files."""
import json
from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
from mmdet.evaluation import INSTANCE_OFFSET
from mmdet.evaluation.metrics.coco_panoptic_metric import parse_pq_results, print_panoptic_table
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...structures.panoptic_ids import rgb2id
from ..functional.panoptic_quality import VOID, Counts, TrueSegment, average_quality, count_segments
from ..functional.unscored import drop_unscored


@METRICS.register_module()
class PanopticMetric(BaseMetric):
    """PQ, SQ and RQ in percent, of all categories, things (``_th``) and stuff (``_st``) that occur.

    mmdet's ``CocoPanopticMetric``, which also writes files for a test server, cannot be built without
    panopticapi, which is in no package index. The values are the same.

    Args:
        ann_file (str): COCO panoptic JSON.
        seg_prefix (str): folder of its PNGs.
        collect_device (str): of ``BaseMetric``.
        prefix (str | None): in front of the names of the values.
    """

    default_prefix = 'coco_panoptic'

    def __init__(self, ann_file: str, seg_prefix: str, collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.ann_file, self.seg_prefix = ann_file, Path(seg_prefix)
        content = json.loads(Path(ann_file).read_text())
        self.annotations = {annotation['image_id']: annotation for annotation in content['annotations']}
        self.categories = {category['id']: category for category in content['categories']}

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Count the segments of ``pred_panoptic_seg``: ``sem_seg`` (1, H, W) of label + 1000 x instance.

        Raises:
            KeyError: a picture or a name is not in the JSON.
            ValueError: the PNG has another size than the prediction.
        """
        ids = {category['name']: number for number, category in self.categories.items()}
        for sample in data_samples:
            if sample['img_id'] not in self.annotations:
                raise KeyError(f'{self.ann_file}: no panoptic annotation of image {sample["img_id"]}')
            annotation = self.annotations[sample['img_id']]
            truth, segments = self._read_truth(annotation)
            predicted = sample['pred_panoptic_seg']
            values = predicted['sem_seg'].cpu().numpy()[0]
            if values.shape != truth.shape:
                raise ValueError(f'{self.seg_prefix / annotation["file_name"]} has height and width {truth.shape}, '
                                 f'the prediction {values.shape}')
            found, indices = np.unique(values, return_inverse=True)
            labels = (found % INSTANCE_OFFSET).tolist()
            classes = self.dataset_meta['classes']
            void = {len(classes), predicted.get('ignore_index', len(classes))}
            missing = {classes[label] for label in labels if label not in void} - set(ids)
            if missing:
                raise KeyError(f'{self.ann_file}: no category is named {", ".join(sorted(missing))}')
            # numbered from 1, as a label 0 without instance would be void
            numbers = np.array([VOID if label in void else i for i, label in enumerate(labels, 1)])
            self.results.append(count_segments(
                truth, segments, numbers[indices].reshape(truth.shape),
                {i: ids[classes[label]] for i, label in enumerate(labels, 1) if label not in void}))

    def _read_truth(self, annotation: dict) -> tuple[np.ndarray, dict[int, TrueSegment]]:
        """Map (H, W) of segment ids and the segments by id."""
        path = self.seg_prefix / annotation['file_name']
        segments = {s['id']: TrueSegment(s['category_id'], s['area'], bool(s.get('iscrowd', 0)))
                    for s in annotation['segments_info']}
        return rgb2id(mmcv.imread(str(path), channel_order='rgb')), segments

    def compute_metrics(self, results: list[dict[int, Counts]]) -> dict[str, float]:
        """Sum over pictures, then average over categories."""
        counts = {category: Counts() for category in self.categories}
        for picture in results:
            for category, count in picture.items():
                counts[category] += count
        things = [number for number, category in self.categories.items() if category['isthing']]
        averages = dict(
            All=average_quality(counts, counts), Things=average_quality(counts, things),
            Stuff=average_quality(counts, set(counts) - set(things)))
        if not averages['All']['n']:
            print_log(f'{self.ann_file}: neither truth nor predictions hold a segment, nothing is scored', 'current')
            return {}
        print_panoptic_table(averages, logger='current')
        metrics = parse_pq_results(averages)
        for group, ending in (('Things', '_th'), ('Stuff', '_st')):
            if not averages[group]['n']:
                metrics.update({name: None for name in metrics if name.endswith(ending)})
        return drop_unscored(type(self).__name__, metrics)
