"""Predictions made from the truth of COCO files, as they are and moved, and what pycocotools says of them."""
import copy
from typing import Callable, Optional

import numpy as np
import torch
from coco_tiny import scores_of
from mmdet.registry import DATASETS
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from pycocotools.mask import encode

RIGHT, DOWN = 9, 5  # px
AREAS = {'': 0, 's': 1, 'm': 2, 'l': 3}


def moved(masks: np.ndarray, right: int = RIGHT, down: int = DOWN) -> np.ndarray:
    """Masks (..., H, W); what leaves the picture is lost."""
    height, width = masks.shape[-2:]
    result = np.zeros_like(masks)
    result[..., down:, right:] = masks[..., :height - down, :width - right]
    return result


def add_found(sample, right: int, down: int) -> None:
    """Give a sample its annotated objects, in original pixels, as predictions; moved."""
    truth = sample.gt_instances
    offset = torch.tensor([right, down, right, down])
    sample.pred_instances = InstanceData(
        bboxes=truth.bboxes.tensor + offset, labels=truth.labels,
        scores=torch.tensor(scores_of(int(sample.img_id), len(truth))))
    if 'masks' in truth:
        sample.pred_instances.masks = torch.from_numpy(moved(truth.masks.to_ndarray().astype(bool), right, down))


def both_numbers(cfg, predict: Callable = add_found, dataset: Optional[dict] = None) -> list[dict]:
    """Numbers of a config's metrics for the truth, and for the truth moved.

    Args:
        cfg: of a test.
        predict: gives a sample its predictions, moved by so many pixels to the right and down.
        dataset: config of another data set whose truth is taken. Result files end with 0 and 1.
    """
    built = DATASETS.build(dataset or cfg.test_dataloader.dataset)
    evaluators = []
    for number in range(2):
        evaluators.append(Runner.build_evaluator(None, copy.deepcopy(cfg.test_evaluator)))
        evaluators[-1].dataset_meta = built.metainfo
        for metric in evaluators[-1].metrics:
            if getattr(metric, 'outfile_prefix', None):
                metric.outfile_prefix += str(number)
    for item in built:
        for evaluator, shift in zip(evaluators, ((0, 0), (RIGHT, DOWN))):
            predict(item['data_samples'], *shift)
            evaluator.process([item['data_samples']])
    return [{key: value for key, value in evaluator.evaluate(len(built)).items() if not isinstance(value, str)}
            for evaluator in evaluators]


def results_of(truth: COCO, kind: str, shift: tuple = (RIGHT, DOWN)) -> list[dict]:
    """COCO results of the annotations of a file, moved, from the file alone."""
    results = []
    for image in truth.getImgIds():
        rows = [row for row in truth.imgToAnns[image] if not row['iscrowd']]
        for row, score in zip(rows, scores_of(image, len(rows))):
            result = dict(image_id=image, category_id=row['category_id'], score=float(score))
            if kind == 'bbox':
                x, y, width, height = row['bbox']
                result['bbox'] = [x + shift[0], y + shift[1], width, height]
            else:
                result['segmentation'] = encode(np.asfortranarray(moved(truth.annToMask(row), *shift)))
            results.append(result)
    return results


def read(content: dict) -> COCO:
    """pycocotools' own reading of a content."""
    truth = COCO()
    truth.dataset = copy.deepcopy(content)
    for row in truth.dataset['annotations']:
        row.setdefault('iscrowd', 0)
    truth.createIndex()
    return truth


def of_pycocotools(content: dict, kind: str, largest: int = 100, results: Optional[list] = None) -> dict:
    """COCOeval of results, else of the annotations moved.

    Returns:
        dict: AP by '', '50', '75', 's', 'm', 'l' and, where categories have a frequency, 'r', 'c', 'f'; 'AR'. Nothing
        of what is not annotated.
    """
    truth = read(content)
    evaluation = COCOeval(truth, truth.loadRes(results or results_of(truth, kind)), kind)
    evaluation.params.maxDets = [1, 10, largest]
    evaluation.evaluate()
    evaluation.accumulate()
    precision, recall = evaluation.eval['precision'][..., -1], evaluation.eval['recall'][..., 0, -1]
    parts = {part: precision[..., area] for part, area in AREAS.items()}
    parts.update({'50': precision[0, ..., 0], '75': precision[5, ..., 0], 'AR': recall})
    frequencies = np.array([row.get('frequency', '') for row in truth.loadCats(evaluation.params.catIds)])
    parts.update({part: precision[:, :, frequencies == part, 0] for part in 'rcf'})
    return {part: values[values > -1].mean() for part, values in parts.items() if (values > -1).any()}
