"""Panoptic quality on COCO's files."""
from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
from mmdet.evaluation import INSTANCE_OFFSET
from mmdet.evaluation.metrics.coco_panoptic_metric import parse_pq_results, print_panoptic_table
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...datasets.store.json_file import look_up
from ...structures.panoptic_ids import rgb2id
from ...structures.row_values import BrokenRow
from ..functional.coco_truth import ids_of_names
from ..functional.panoptic_quality import VOID, Counts, average_quality, count_segments
from ..functional.panoptic_truth import TruePicture, load_panoptic_truth
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

    Raises:
        ValueError: ``ann_file`` is no such file, or nobody knows which row an id means.
    """

    default_prefix = 'coco_panoptic'

    def __init__(self, ann_file: str, seg_prefix: str, collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.ann_file, self.seg_prefix = ann_file, Path(seg_prefix)
        self.pictures, categories = load_panoptic_truth(ann_file)
        self.categories = {category['id']: category for category in categories}

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Count the segments of ``pred_panoptic_seg``: ``sem_seg`` (1, H, W) of label + 1000 x instance.

        Raises:
            ValueError: a picture or a name is not in the JSON, or the PNG has another size than the prediction.
        """
        classes = self.dataset_meta['classes']
        ids = ids_of_names(self.categories.values(), classes)
        for sample in data_samples:
            try:
                picture = look_up(self.pictures, sample['img_id'], '')
            except BrokenRow:
                raise ValueError(f'{self.ann_file}: no panoptic annotation of image {sample["img_id"]}') from None
            truth = self._read_map(picture)
            predicted = sample['pred_panoptic_seg']
            values = predicted['sem_seg'].cpu().numpy()[0]
            if values.shape != truth.shape:
                raise ValueError(f'{self.seg_prefix / picture.file_name} has height and width {truth.shape}, the '
                                 f'prediction {values.shape}')
            found, indices = np.unique(values, return_inverse=True)
            labels = (found % INSTANCE_OFFSET).tolist()
            void = {len(classes), predicted.get('ignore_index', len(classes))}
            missing = {classes[label] for label in labels if label not in void and ids[label] is None}
            if missing:
                raise ValueError(f'{self.ann_file}: no category is named {", ".join(sorted(missing))}')
            # numbered from 1, as a label 0 without instance would be void
            numbers = np.array([VOID if label in void else i for i, label in enumerate(labels, 1)])
            self.results.append(count_segments(
                truth, picture.segments_on(truth), numbers[indices].reshape(truth.shape),
                {i: ids[label] for i, label in enumerate(labels, 1) if label not in void}))

    def _read_map(self, picture: TruePicture) -> np.ndarray:
        """Map (H, W) of segment ids."""
        return rgb2id(mmcv.imread(str(self.seg_prefix / picture.file_name), channel_order='rgb'))

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
