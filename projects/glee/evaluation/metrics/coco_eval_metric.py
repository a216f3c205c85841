"""COCO AP that one bad row or picture does not end."""
from typing import Dict, List, Optional, Sequence, Union

from mmdet.evaluation.metrics import CocoMetric
from mmdet.registry import METRICS

from ..functional.coco_truth import coco_of, load_truth, without_unreadable
from ..functional.unscored import drop_unscored


@METRICS.register_module()
class CocoEvalMetric(CocoMetric):
    """mmdet's ``CocoMetric`` with rows checked as ``load_truth`` does and without detections in unreadable pictures.

    Numbers are those of pycocotools, without those of which nothing is annotated (its -1); whatever ids the annotations
    have, or whether they have any, does not matter.

    Args:
        ann_file (str): annotation file.
        metric (str | list[str]): 'bbox', 'segm', 'proposal' or 'proposal_fast'.
        proposal_nums (Sequence[int]): detections per image that count; pycocotools' own are 1, 10 and 100.
        backend_args (dict | None): of mmengine's file backend.
        **kwargs: ``classwise``, ``iou_thrs``, ``metric_items``, ``format_only``, ``outfile_prefix``,
            ``collect_device``, ``prefix`` and ``use_mp_eval`` of ``CocoMetric``.

    Raises:
        ValueError: ``ann_file`` is no COCO file.
    """

    def __init__(self, ann_file: str, metric: Union[str, List[str]] = 'bbox',
                 proposal_nums: Sequence[int] = (1, 10, 100), backend_args: Optional[dict] = None, **kwargs) -> None:
        super().__init__(None, metric, proposal_nums=proposal_nums, backend_args=backend_args, **kwargs)
        self.ann_file = ann_file
        self._coco_api = coco_of(load_truth(ann_file, with_boxes=set(self.metrics) != {'segm'},
                                            with_masks='segm' in self.metrics, backend_args=backend_args))

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect a batch."""
        super().process(data_batch, without_unreadable(data_samples))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """``bbox_mAP`` ... ``segm_mAP_l`` of what is annotated.

        Raises:
            ValueError: the data set has a name that the annotation file lacks, but for stuff behind all things.
        """
        known = {category['name'] for category in self._coco_api.dataset['categories']}
        names = list(self.dataset_meta['classes'])
        while names and names[-1] not in known:  # stuff, of which there are no instances
            names.pop()
        missing = [name for name in names or self.dataset_meta['classes'] if name not in known]
        if missing:
            raise ValueError(f'{self.ann_file} lacks the categories {missing[:5]} of the data set; give the metric the '
                             "data set's ann_file")
        return drop_unscored(type(self).__name__, super().compute_metrics(results), missing=-1)
