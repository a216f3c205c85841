"""AP of free descriptions of objects, OmniLabel."""
from collections import defaultdict
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from pycocotools import mask as coco_mask

from ...datasets.store.json_file import look_up
from ...datasets.store.omnilabel_file import DESCRIPTION, Description, OmniLabelFile, load_omnilabel
from ...structures.row_values import BrokenRow
from ..functional.coco_truth import without_unreadable
from ..functional.track_ap import ClassMatches, average_precision, match_tracks
from ..functional.unscored import drop_unscored
from .base_video_metric import dump_json

COLUMNS = ('AP', 'AP-categ', 'AP-descr', 'AP-descr-pos', 'AP-descr-S', 'AP-descr-M', 'AP-descr-L')


@METRICS.register_module()
class OmniLabelMetric(BaseMetric):
    """The seven columns of OmniLabel (EVAL.md M18), equal to the benchmark's own program.

    A pair is an image and a description of its label space; its detections are matched with the objects of this
    description by COCO's rule. All pairs of a group make one curve of precision and recall, without a mean over
    descriptions.

    * AP-categ: plain category names; AP-descr: free descriptions.
    * AP-descr-pos: of these, the pairs in whose image there is such an object.
    * AP-descr-S, -M, -L: descriptions of up to 3, of 4 to 8, and of more words.
    * AP: harmonic mean of AP-categ and AP-descr.

    A label of ``pred_instances`` is an index into the image's descriptions in the order of the file, which
    :class:`OmniLabelDataset` gives as ``text``; boxes are xyxy in pixels of the original image.

    Args:
        ann_file (str): the benchmark's file, that of the data set.
        max_dets (int): best detections of a pair that count.
        outfile_prefix (str, optional): write ``{outfile_prefix}.json``, the benchmark's result file.
        format_only (bool): only write it, as for files without annotations.
        backend_args (dict, optional): of mmengine's file backend.
        **kwargs: ``prefix``, ``collect_device`` of the base class.

    Raises:
        ValueError: ``ann_file`` is not the benchmark's, ``format_only`` without ``outfile_prefix``, or a tested picture
            or a label is not of the file.
    """

    default_prefix: Optional[str] = 'omnilabel'

    def __init__(self, ann_file: str, max_dets: int = 100, outfile_prefix: Optional[str] = None,
                 format_only: bool = False, backend_args: Optional[dict] = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if format_only and outfile_prefix is None:
            raise ValueError('OmniLabelMetric: format_only=True needs outfile_prefix, the name of the result file')
        self.ann_file, self.max_dets = ann_file, max_dets
        self.outfile_prefix, self.format_only = outfile_prefix, format_only
        self.truth: OmniLabelFile = load_omnilabel(ann_file, backend_args)
        self._ids = {identifier: identifier for identifier in self.truth.images}

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Collect the detections of a batch; none in pictures that could not be read."""
        for sample in without_unreadable(data_samples):
            found = {key: sample['pred_instances'][key].detach().cpu().numpy()
                     for key in ('bboxes', 'scores', 'labels')}
            try:
                image_id = look_up(self._ids, sample['img_id'], '')
            except BrokenRow:
                raise ValueError(f'{self.ann_file} has no image with the id {sample["img_id"]} of a tested picture; '
                                 "give the metric the data set's ann_file") from None
            asked = len(self.truth.asked[image_id])
            if len(found['labels']) and found['labels'].max() >= asked:
                raise ValueError(f'image {image_id} of {self.ann_file} has {asked} descriptions, a detection the label '
                                 f'{found["labels"].max()}; use OmniLabelDataset with the same ann_file')
            self.results.append(dict(image_id=image_id, boxes=to_xywh(found['bboxes']),
                                     scores=found['scores'].astype(np.float64), labels=found['labels']))

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """The columns, without those of which the file has no object."""
        if self.outfile_prefix is not None:
            dump_json(self._rows(results), f'{self.outfile_prefix}.json')
        if self.format_only:
            return {}
        by_image = {result['image_id']: result for result in results}
        groups: Dict[str, List[ClassMatches]] = defaultdict(list)
        for image_id in sorted(self.truth.images, key=lambda i: (isinstance(i, str), i)):
            for label, description in enumerate(self.truth.asked[image_id]):
                objects = [row for row in self.truth.objects.get(image_id, ())
                           if description.id in row['descriptions']]
                pair = self._match(by_image.get(image_id), label, objects)
                for column in columns_of(description, bool(objects)):
                    groups[column].append(pair)
        numbers = {column: mean_precision(groups[column]) for column in COLUMNS[1:]}
        categ, descr = numbers['AP-categ'], numbers['AP-descr']
        whole = None if categ is None or descr is None else 2 * categ * descr / (categ + descr + 1e-5)
        return drop_unscored(type(self).__name__, dict(AP=whole, **numbers))

    def _match(self, result: Optional[dict], label: int, objects: List[dict]) -> ClassMatches:
        """The best detections of a description in an image, matched with its objects."""
        rows = np.flatnonzero(result['labels'] == label) if result else np.zeros(0, int)
        boxes = result['boxes'][rows] if result else np.zeros((0, 4))
        scores = result['scores'][rows] if result else np.zeros(0)
        best = np.argsort(-scores, kind='mergesort')[:self.max_dets]
        crowd = [row['iscrowd'] for row in objects]
        ious = np.zeros((len(best), len(objects)))
        if ious.size:
            truth = np.array([row['bbox'] for row in objects], np.float64)
            ious = np.asarray(coco_mask.iou(boxes[best], truth, [int(c) for c in crowd]))
        return match_tracks(ious, scores[best], crowd, np.zeros(len(best), bool), crowd)

    def _rows(self, results: List[dict]) -> List[Dict[str, Any]]:
        """The benchmark's result rows, one per detection."""
        return [dict(image_id=result['image_id'], bbox=box.tolist(), scores=[float(score)],
                     description_ids=[self.truth.asked[result['image_id']][label].id])
                for result in results
                for box, score, label in zip(result['boxes'], result['scores'], result['labels'])]


def columns_of(description: Description, has_object: bool) -> List[str]:
    """The groups that the pair of an image and this description belongs to."""
    if description.kind != DESCRIPTION:
        return ['AP-categ']
    words = len(description.text.split())
    length = 'S' if words <= 3 else 'M' if words <= 8 else 'L'
    return ['AP-descr', f'AP-descr-{length}'] + ['AP-descr-pos'] * has_object


def mean_precision(pairs: List[ClassMatches]) -> Optional[float]:
    """AP of one curve over all pairs, mean over IoU thresholds; None without an object to find."""
    scored = average_precision(pairs) if pairs else None
    return None if scored is None else float(scored[0].mean())


def to_xywh(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy to float64 xywh."""
    boxes = boxes.astype(np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
