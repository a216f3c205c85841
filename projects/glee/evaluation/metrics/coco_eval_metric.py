"""COCO AP that one bad row or picture does not end."""
from typing import Dict, List, Optional, Sequence, Union

import numpy as np
from mmdet.datasets.api_wrappers import COCO
from mmdet.evaluation.metrics import CocoMetric
from mmdet.registry import METRICS
from mmengine.fileio import dump, load

from ...structures.masks import empty_mask
from ...utils.console import tables_only
from ..functional.coco_truth import TruthFile, coco_of, without_unreadable
from ..functional.unscored import drop_unscored


@METRICS.register_module()
class CocoEvalMetric(CocoMetric):
    """mmdet's ``CocoMetric`` with rows checked as ``load_truth`` does and without detections in unreadable pictures.

    Numbers are those of pycocotools, without those of which nothing is annotated (its -1; masks, in a file of boxes
    alone); 0 where nothing is found. Ids do not matter: those of
    annotations may be missing or the same, those of images and categories may be text or of any length, and a label is
    the category of its name.

    Args:
        ann_file (str): annotation file.
        metric (str | list[str]): 'bbox', 'segm', 'proposal' or 'proposal_fast'.
        proposal_nums (Sequence[int]): detections per image that count; pycocotools' own are 1, 10 and 100.
        backend_args (dict | None): of mmengine's file backend.
        **kwargs: ``classwise``, ``iou_thrs``, ``metric_items``, ``format_only``, ``outfile_prefix``,
            ``collect_device``, ``prefix`` and ``use_mp_eval`` of ``CocoMetric``.

    Raises:
        ValueError: ``ann_file`` is no COCO file, or nobody knows which row one of its ids means.
    """

    def __init__(self, ann_file: str, metric: Union[str, List[str]] = 'bbox',
                 proposal_nums: Sequence[int] = (1, 10, 100), backend_args: Optional[dict] = None, **kwargs) -> None:
        super().__init__(None, metric, proposal_nums=proposal_nums, backend_args=backend_args, **kwargs)
        self.ann_file = ann_file
        self.truth = TruthFile(ann_file, set(self.metrics) != {'segm'}, 'segm' in self.metrics, backend_args)
        self._coco_api = COCO()  # filled with the truth once the names of the data set are known

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect a batch."""
        super().process(data_batch, without_unreadable(data_samples))

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """``bbox_mAP`` ... ``segm_mAP_l`` of what is annotated; files have the ids of ``ann_file``.

        Raises:
            ValueError: the data set has a name that the annotation file lacks, but for stuff behind all things, or
                a picture that it lacks.
        """
        self.truth.learn_sizes(gt for gt, _ in results)
        if self.dataset_meta.get('one_category'):
            self.truth.become_one_category(self.dataset_meta['classes'][0])
        known = {category['name'] for category in self.truth.content['categories']}
        names = list(self.dataset_meta['classes'])
        last = max((int(result['labels'].max()) for _, result in results if len(result['labels'])), default=0)
        while len(names) > last + 1 and names[-1] not in known:  # stuff, of which there are no instances
            names.pop()
        categories = self.truth.category_ids(names)
        found = [dict(result, img_id=self.truth.image_id(result['img_id'])) for _, result in results]
        if self.outfile_prefix is not None:
            self.cat_ids = categories
            self._write(found)
        if self.format_only:
            return {}
        return drop_unscored(type(self).__name__, self._score(categories, found), missing=-1)

    def _write(self, found: List[dict]) -> None:
        """Result files. Masks come without the boxes that mmdet adds: pycocotools would take areas from these."""
        files = self.results2json(found, self.outfile_prefix)
        if 'segm' in files:
            rows = load(files['segm'])
            dump([{key: value for key, value in row.items() if key != 'bbox'} for row in rows], files['segm'])

    def _score(self, categories: list, found: List[dict]) -> Dict[str, Optional[float]]:
        """The numbers of pycocotools, which sees numbers in place of ids; None for what is not annotated."""
        content, images, numbers = self.truth.numbered(categories)
        self._coco_api = coco_of(content)
        self.cat_ids, self.img_ids = [numbers[category] for category in categories], sorted(images.values())
        nothing = {key: values[:0] for key, values in found[0].items() if key != 'img_id'}
        # in the order of the images, as mmdet's recall of proposals takes them
        by_number = {number: dict(nothing, img_id=number) for number in self.img_ids}
        by_number.update({images[result['img_id']]: dict(result, img_id=images[result['img_id']]) for result in found})
        if not any(len(result['labels']) for result in by_number.values()):
            by_number[self.img_ids[0]] = _found_nowhere(by_number[self.img_ids[0]])
        outfile_prefix, self.outfile_prefix = self.outfile_prefix, None  # those files would have the numbers
        metrics, unscored = self.metrics, {}
        if 'segm' in metrics and self.truth.without_masks():
            self.metrics, unscored = [metric for metric in metrics if metric != 'segm'], dict(segm_mAP=None)
        try:
            with tables_only():
                scored = super().compute_metrics([({}, result) for result in by_number.values()]) if (
                    self.metrics) else {}
        finally:
            self.outfile_prefix, self.metrics = outfile_prefix, metrics
        return {**scored, **unscored}


def _found_nowhere(result: dict) -> dict:
    """A result without detections with one that matches no object: mmdet leaves out all numbers where there is none."""
    added = dict(bboxes=np.zeros((1, 4)), scores=np.zeros(1), labels=np.zeros(1, int))
    if 'masks' in result:
        added['masks'] = [empty_mask(1, 1)]
    if 'mask_scores' in result:
        added['mask_scores'] = np.zeros(1)
    return dict(result, **added)
