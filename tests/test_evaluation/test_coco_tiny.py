"""Photographs of COCO with official annotations in the official layouts: the truth scores 1, the truth shifted by some
pixels what pycocotools says of it."""
import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from coco_tiny import ODINW, STUFF, find_coco_tiny, lay_out, scores_of
from config_runs import load
from mmdet.evaluation import INSTANCE_OFFSET
from mmdet.registry import DATASETS, METRICS
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from pycocotools.mask import encode

from projects.glee.evaluation.loops import InteractiveTestLoop
from projects.glee.evaluation.metrics import InteractiveSegMetric

RIGHT, DOWN = 9, 5  # px
PERFECT = {  # numbers of a config that are 1 for the truth
    'coco-val': ['coco/bbox_mAP', 'coco/bbox_mAP_50', 'coco/bbox_mAP_75', 'coco/bbox_mAP_s', 'coco/bbox_mAP_m',
                 'coco/bbox_mAP_l', 'coco/segm_mAP', 'coco/segm_mAP_s', 'coco/segm_mAP_m', 'coco/segm_mAP_l'],
    'lvis': [f'lvis/{kind}_AP{part}' for kind in ('bbox', 'segm')
             for part in ('', '50', '75', 's', 'm', 'l', 'r', 'c', 'f')],
    'uvo': ['uvo/segm_mAP', 'uvo/segm_AR@100']}


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    """Data root and content of the annotation file."""
    root = tmp_path_factory.mktemp('coco_tiny')
    return SimpleNamespace(root=root, content=lay_out(find_coco_tiny(), root))


def config(name, tiny, tmp_path):
    return load(f'glee_r50_{name}', tmp_path, data_root=f'{tiny.root}/', **{'PillowResize.scale': (32, 32)})


def moved(masks, right, down):
    """Masks (N, H, W), what leaves the picture is lost."""
    height, width = masks.shape[-2:]
    result = np.zeros_like(masks)
    result[..., down:, right:] = masks[..., :height - down, :width - right]
    return result


def samples_of(dataset, right=0, down=0):
    """Samples whose predictions are the annotations of their original pixels, moved."""
    for item in dataset:
        sample = item['data_samples']
        truth = sample.gt_instances
        offset = torch.tensor([right, down, right, down])
        sample.pred_instances = InstanceData(
            bboxes=truth.bboxes.tensor + offset, labels=truth.labels,
            scores=torch.tensor(scores_of(int(sample.img_id), len(truth))),
            masks=torch.from_numpy(moved(truth.masks.to_ndarray().astype(bool), right, down)))
        yield sample


def numbers(cfg, *shift):
    """Numbers of the annotations, moved."""
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    evaluator = Runner.build_evaluator(None, cfg.test_evaluator)
    evaluator.dataset_meta = dataset.metainfo
    count = 0
    for count, sample in enumerate(samples_of(dataset, *shift), 1):
        evaluator.process([sample])
    assert count == len(dataset)
    return evaluator.evaluate(count)


def of_pycocotools(content, kind, largest=100):
    """COCOeval of the annotations of a file, moved, from the file alone."""
    truth = COCO()
    truth.dataset = copy.deepcopy(content)
    for row in truth.dataset['annotations']:
        row.setdefault('iscrowd', 0)
    truth.createIndex()
    results = []
    for image in truth.getImgIds():
        rows = [row for row in truth.imgToAnns[image] if not row['iscrowd']]
        for row, score in zip(rows, scores_of(image, len(rows))):
            result = dict(image_id=image, category_id=row['category_id'], score=float(score))
            if kind == 'bbox':
                x, y, width, height = row['bbox']
                result['bbox'] = [x + RIGHT, y + DOWN, width, height]
            else:
                result['segmentation'] = encode(np.asfortranarray(moved(truth.annToMask(row), RIGHT, DOWN)))
            results.append(result)
    evaluation = COCOeval(truth, truth.loadRes(results), kind)
    evaluation.params.maxDets = [1, 10, largest]
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def means(evaluation):
    """AP, AP50, AP75 and AR of all areas."""
    precision, recall = evaluation.eval['precision'][..., 0, -1], evaluation.eval['recall'][..., 0, -1]

    def mean(values):
        return values[values > -1].mean()
    return mean(precision), mean(precision[0]), mean(precision[5]), mean(recall)


@pytest.mark.parametrize('name', PERFECT)
def test_the_truth_scores_one(name, tiny, tmp_path):
    found = numbers(config(name, tiny, tmp_path))
    assert {key: found[key] for key in PERFECT[name]} == dict.fromkeys(PERFECT[name], 1.0)


def test_a_set_in_the_wild(tiny, tmp_path):
    """One set of ODinW, all of whose objects are found."""
    cfg = config('odinw13', tiny, tmp_path)
    cfg.test_dataloader.dataset.datasets = [part for part in cfg.test_dataloader.dataset.datasets
                                            if ODINW.split('/')[2] in part.data_root]
    cfg.test_evaluator.sets = dict(Aquarium=cfg.test_evaluator.sets.Aquarium)
    assert numbers(cfg)['odinw13/mean_bbox_mAP'] == 1.0
    shifted = numbers(cfg, RIGHT, DOWN)['odinw13/Aquarium_bbox_mAP']
    assert shifted == pytest.approx(means(of_pycocotools(tiny.content, 'bbox'))[0], abs=5e-4)


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_shifted_coco(kind, tiny, tmp_path):
    cfg = config('coco-val', tiny, tmp_path)
    cfg.test_evaluator.metric = kind
    found = numbers(cfg, RIGHT, DOWN)
    expected = means(of_pycocotools(tiny.content, kind))[:3]
    assert [found[f'coco/{kind}_mAP{part}'] for part in ('', '_50', '_75')] == pytest.approx(expected, abs=5e-4)
    assert 0.1 < expected[0] < 0.9


def test_shifted_uvo(tiny, tmp_path):
    content = dict(tiny.content, categories=[dict(id=1, name='object')],
                   annotations=[dict(row, category_id=1) for row in tiny.content['annotations']])
    found = numbers(config('uvo', tiny, tmp_path), RIGHT, DOWN)
    ap, _, _, ar = means(of_pycocotools(content, 'segm'))
    assert (found['uvo/segm_mAP'], found['uvo/segm_AR@100']) == pytest.approx((ap, ar), abs=5e-4)


def test_shifted_lvis(tiny, tmp_path):
    """Without lists of other categories LVIS's rule is COCO's."""
    content = dict(tiny.content, annotations=[row for row in tiny.content['annotations'] if not row['iscrowd']])
    found = numbers(config('lvis', tiny, tmp_path), RIGHT, DOWN)
    for kind in ('bbox', 'segm'):
        expected = means(of_pycocotools(content, kind, 300))[:3]
        assert [found[f'lvis/{kind}_AP{part}'] for part in ('', '50', '75')] == pytest.approx(expected, abs=5e-4)


def test_the_panoptic_truth_scores_a_hundred(tiny, tmp_path):
    """Maps of the same objects; what no object covers is a wall."""
    cfg = config('panoptic', tiny, tmp_path)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    metric = METRICS.build(cfg.test_evaluator[0])
    metric.dataset_meta = dataset.metainfo
    for item in dataset:
        sample = item['data_samples']
        truth, wall = sample.gt_instances, dataset.metainfo['classes'].index(STUFF['name'])
        found = np.full(sample.ori_shape[:2], wall, np.int64)
        for number, (mask, label) in enumerate(zip(truth.masks.to_ndarray().astype(bool), truth.labels.tolist()), 1):
            found[mask] = label + number * INSTANCE_OFFSET
        sample.pred_panoptic_seg = PixelData(sem_seg=torch.from_numpy(found)[None])
        metric.process({}, [sample.to_dict()])
    scores = metric.evaluate(len(dataset))
    assert {scores[f'panoptic/{key}{part}'] for key in ('PQ', 'SQ', 'RQ') for part in ('', '_th', '_st')} == {100.0}


class Oracle:
    """Finds every object at once."""

    def set_image(self, image, truths):
        self.truths = truths

    def start(self, prompts):
        return list(self.truths)


def test_an_oracle_of_clicks_boxes_and_scribbles(tiny, tmp_path):
    """Every object with every kind of prompt, at original size; pixels of crowds count for nothing."""
    cfg = load('glee_r50_interactive', tmp_path, data_root=f'{tiny.root}/')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    loop = InteractiveTestLoop.__new__(InteractiveTestLoop)
    loop.rounds, loop.rule, loop.stop_iou, loop.min_area, loop.seed = cfg.test_cfg.rounds, 'ritm', 0.9, 1, 0
    loop.keep_masks, loop.predictor = False, Oracle()
    metric = InteractiveSegMetric(prefix='interactive')
    # a crowd and some others stand for all: the click of an object takes a distance transform
    for index in range(0, len(dataset), 8):
        item = dataset[index]
        metric.process({}, [loop._image(item['inputs'], item['data_samples'])])
    found = metric.evaluate(len(dataset))
    assert {found[f'interactive/{kind}_mIoU'] for kind in cfg.test_cfg.rounds} == {1.0}
    assert (found['interactive/NoC@85'], found['interactive/NoC@90']) == (1.0, 1.0)
    assert found['interactive/instances'] > 50
