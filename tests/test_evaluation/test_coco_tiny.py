"""Photographs of COCO with official annotations in the official layouts of the members of the suites of pictures: the
truth scores 1 in every number, the truth moved by some pixels what pycocotools says of it.

The annotations have boxes, masks, crowds and 80 names. They allow COCO, its test-dev (a file for the server), LVIS and
its minival (frequencies are ours), UVO's frames, a set of ODinW, panoptic maps (what no object covers is a wall),
clicks on COCO, VOC and SBD, the boxes of Objects365, OpenImages and BDD100K under the names that these have in common
with COCO, and OmniLabel's plain names. They do not allow RefCOCO, RefCOCO+, RefCOCOg and OmniLabel's free descriptions,
since nobody has said a sentence about their objects.
"""
import json
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from coco_tiny import ODINW, STUFF, find_coco_tiny, lay_out
from coco_tiny_truth import DOWN, RIGHT, add_found, both_numbers, moved, of_pycocotools, read, results_of
from config_runs import load
from mmdet.evaluation import INSTANCE_OFFSET
from mmdet.registry import DATASETS
from mmengine.structures import PixelData
from pycocotools.mask import encode, iou

from projects.glee.evaluation.loops import InteractiveTestLoop
from projects.glee.evaluation.metrics import InteractiveSegMetric

BOX, MASK = ('bbox', ), ('bbox', 'segm')
COCO_PARTS = {part: f'_{part}' if part else '' for part in ('', '50', '75', 's', 'm', 'l')}
LVIS_PARTS = {part: part for part in (*COCO_PARTS, 'r', 'c', 'f')}


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    """Data root, annotations by member, and what pycocotools says of the objects of a member, moved."""
    root = tmp_path_factory.mktemp('coco_tiny')
    contents = lay_out(find_coco_tiny(), root)
    return SimpleNamespace(root=root, contents=contents, reference=cache(
        lambda name, kind, largest=100: of_pycocotools(contents[name], kind, largest)))


def config(name, tiny, tmp_path):
    return load(f'glee_r50_{name}', tmp_path, data_root=f'{tiny.root}/', **{'PillowResize.scale': (32, 32)})


def expected(tiny, name, prefix, kinds, parts=COCO_PARTS, largest=100):
    """{key of the metric: what pycocotools says of the objects of a member, moved}."""
    return {f'{prefix.format(kind)}{parts[part]}': value for kind in kinds
            for part, value in tiny.reference(name, kind, largest).items() if part in parts}


def check(perfect, shifted, reference):
    """The truth has 1 in each number there is, and the moved truth what the reference says."""
    assert perfect == dict.fromkeys(perfect, 1.0) and perfect.keys() == reference.keys()
    assert shifted == pytest.approx(reference, abs=5e-4)  # mmdet rounds to three digits
    assert all(0 <= value < 0.95 for value in reference.values())


@pytest.mark.parametrize('name, prefix, kinds', [
    ('coco-val', 'coco', MASK), ('objects365', 'objects365', BOX), ('openimages', 'openimages', BOX),
    ('bdd_det', 'bdd_det', BOX), ('bdd_inst', 'bdd_inst', MASK)])
def test_cocos_ap(name, prefix, kinds, tiny, tmp_path):
    check(*both_numbers(config(name, tiny, tmp_path)),
          expected(tiny, name, f'{prefix}/{{}}_mAP', kinds))


def test_a_set_in_the_wild(tiny, tmp_path):
    """One set of ODinW."""
    cfg = config('odinw13', tiny, tmp_path)
    cfg.test_dataloader.dataset.datasets = [part for part in cfg.test_dataloader.dataset.datasets
                                            if ODINW.split('/')[2] in part.data_root]
    cfg.test_evaluator.sets = dict(Aquarium=cfg.test_evaluator.sets.Aquarium)
    check(*both_numbers(cfg), {key: value for part in ('Aquarium', 'mean') for key, value in expected(
        tiny, 'coco-val', f'odinw13/{part}_{{}}_mAP', BOX).items()})


def test_uvo(tiny, tmp_path):
    check(*both_numbers(config('uvo', tiny, tmp_path)),
          expected(tiny, 'uvo', 'uvo/{}_', ['segm'], {'': 'mAP', 'AR': 'AR@100'}))


def test_lvis_and_its_minival_with_fixed_ap(tiny, tmp_path):
    """Without lists of other categories LVIS's rule is COCO's with 300 objects a picture; fixed AP's is so with all."""
    for name, prefixes in (('lvis', ['lvis']), ('lvis-minival', ['lvis', 'lvis_fixed'])):
        check(*both_numbers(config(name, tiny, tmp_path)), {
            key: value for prefix in prefixes
            for key, value in expected(tiny, 'lvis', prefix + '/{}_AP', MASK, LVIS_PARTS, 10000).items()})


def test_the_result_files_of_test_dev_are_those_its_server_scores(tiny, tmp_path):
    cfg, truth = (config(name, tiny, tmp_path) for name in ('coco-test-dev', 'coco-val'))
    content = tiny.contents['coco-val']
    assert both_numbers(cfg, dataset=truth.test_dataloader.dataset) == [{}, {}]
    for kind in MASK:
        perfect, shifted = (of_pycocotools(content, kind, results=json.loads(
            Path(f'{cfg.test_evaluator.outfile_prefix}{number}.{kind}.json').read_text())) for number in range(2))
        check(perfect, shifted, tiny.reference('coco-val', kind))


def test_plain_names_of_omnilabel(tiny, tmp_path):
    """All pairs of a picture and a name make one curve: to pycocotools they are pictures of one category."""
    content = read(tiny.contents['omnilabel'])
    pairs = {pair: number for number, pair in enumerate(
        ((image, category) for image in content.imgs for category in content.cats), 1)}

    def pooled(rows):
        return [dict(row, image_id=pairs[row['image_id'], row['category_id']], category_id=1) for row in rows]

    whole = dict(images=[dict(content.imgs[image], id=number) for (image, _), number in pairs.items()],
                 annotations=pooled(content.dataset['annotations']), categories=[dict(id=1, name='object')])
    reference = of_pycocotools(whole, 'bbox', results=pooled(results_of(content, 'bbox')))
    check(*both_numbers(config('omnilabel', tiny, tmp_path)), {'omnilabel/AP-categ': reference['']})


def test_panoptic_and_semantic_maps(tiny, tmp_path):
    """Maps of the same objects, later ones on top; what no object covers is a wall."""
    cfg, boxes = config('panoptic', tiny, tmp_path), config('coco-val', tiny, tmp_path)
    objects = {item['data_samples'].img_id: item['data_samples'] for item in
               DATASETS.build(boxes.test_dataloader.dataset)}
    wall = DATASETS.build(cfg.test_dataloader.dataset).metainfo['classes'].index(STUFF)
    pairs = []

    def predict(sample, right, down):
        truth, whole = sample.gt_instances, np.full(sample.ori_shape[:2], wall, np.int64)
        masks, found = truth.masks.to_ndarray().astype(bool), whole.copy()
        for number, (mask, label) in enumerate(zip(masks, truth.labels.tolist()), 1):
            whole[mask] = found[moved(mask, right, down)] = label + number * INSTANCE_OFFSET
        sample.pred_panoptic_seg = PixelData(sem_seg=torch.from_numpy(found)[None])
        sample.pred_sem_seg = PixelData(sem_seg=torch.from_numpy(found % INSTANCE_OFFSET)[None])
        other = objects[sample.img_id]
        add_found(other, right, down)
        sample.pred_instances = other.pred_instances
        if right:
            pairs.append((whole, found))

    perfect, shifted = both_numbers(cfg, predict)
    reference = {**panoptic_quality(pairs, wall), 'mIoU': mean_iou(pairs)}
    reference = {f'panoptic/{key}': value for key, value in reference.items()}
    assert {perfect[key] for key in reference} == {100.0}
    assert {key: shifted[key] for key in reference} == pytest.approx(reference, abs=0.01)
    check(*({key: value for key, value in numbers.items() if '_mAP' in key} for numbers in (perfect, shifted)),
          expected(tiny, 'coco-val', 'panoptic/{}_mAP', MASK))


def panoptic_quality(pairs, wall):
    """PQ, SQ, RQ in percent of maps of truth and prediction, whose segments have other numbers; nothing is void."""
    matched, alone = defaultdict(list), Counter()
    for truth, found in pairs:
        sizes, others, common = overlaps(truth, found)
        hits = {(one, other): count / (sizes[one] + others[other] - count) for (one, other), count in common.items()
                if one % INSTANCE_OFFSET == other % INSTANCE_OFFSET}
        hits = {pair: value for pair, value in hits.items() if value > 0.5}
        for (segment, _), value in hits.items():
            matched[segment % INSTANCE_OFFSET].append(value)
        alone.update(segment % INSTANCE_OFFSET for segments, position in ((sizes, 0), (others, 1))
                     for segment in segments if segment not in {pair[position] for pair in hits})
    labels = {*matched, *alone}
    result = {}
    for part, chosen in (('', labels), ('_th', labels - {wall}), ('_st', labels & {wall})):
        rows = [(sum(matched[label]), len(matched[label]), alone[label] / 2) for label in chosen]
        result[f'PQ{part}'] = 100 * np.mean([total / (hits + half) for total, hits, half in rows])
        result[f'SQ{part}'] = 100 * np.mean([total / hits if hits else 0 for total, hits, _ in rows])
        result[f'RQ{part}'] = 100 * np.mean([hits / (hits + half) for _, hits, half in rows])
    return result


def mean_iou(pairs):
    """In percent, over the names that the truth or the prediction has."""
    sizes, others, common = (sum(counters, Counter()) for counters in zip(*(
        overlaps(truth % INSTANCE_OFFSET, found % INSTANCE_OFFSET) for truth, found in pairs)))
    return 100 * np.mean([common[label, label] / (sizes[label] + others[label] - common[label, label])
                          for label in {*sizes, *others}])


def overlaps(one, other):
    """Pixels of each number of a map, of another one, and of each pair of numbers."""
    base = max(one.max(), other.max()) + 1
    numbers, counts = np.unique(one * base + other, return_counts=True)
    common = Counter({divmod(int(number), int(base)): int(count) for number, count in zip(numbers, counts)})
    sizes, others = Counter(), Counter()
    for (first, second), count in common.items():
        sizes[first] += count
        others[second] += count
    return sizes, others, common


class Oracle:
    """Finds every object at once, as it is or moved; clicks change nothing."""

    def __init__(self, *shift):
        self.shift = shift

    def set_image(self, image, truths):
        self.truths = moved(np.asarray(truths), *self.shift)

    def start(self, prompts):
        return list(self.truths)

    def refine(self, prompts):
        return [self.truths[index] for index in prompts]


@pytest.mark.parametrize('name', ['interactive', 'interactive_voc', 'interactive_sbd'])
def test_clicks_boxes_and_scribbles(name, tiny, tmp_path):
    """Every object with every kind of prompt, at original size; pixels of crowds count for nothing."""
    cfg = load(f'glee_r50_{name}', tmp_path, data_root=f'{tiny.root}/')
    dataset, metrics, ious = DATASETS.build(cfg.test_dataloader.dataset), [], []
    loop = InteractiveTestLoop.__new__(InteractiveTestLoop)
    loop.rule, loop.stop_iou, loop.min_area, loop.seed, loop.keep_masks = 'ritm', 0.9, 1, 0, False
    for oracle, rounds in ((Oracle(0, 0), cfg.test_cfg.rounds), (Oracle(RIGHT, DOWN), dict(point=2))):
        metrics.append((InteractiveSegMetric(prefix='interactive'), oracle, rounds))
    # a crowd and some others stand for all: the click of an object takes a distance transform
    for index in range(0, len(dataset), 8):
        item = dataset[index]
        for metric, loop.predictor, loop.rounds in metrics:
            metric.process({}, [loop._image(item['inputs'], item['data_samples'])])
        ious += ious_of(item['data_samples'])
    perfect, shifted = (metric.evaluate(len(dataset)) for metric, _, _ in metrics)
    assert {perfect[f'interactive/{kind}_mIoU'] for kind in cfg.test_cfg.rounds} == {1.0}
    assert (perfect['interactive/NoC@85'], perfect['interactive/NoC@90']) == (1.0, 1.0)
    assert perfect['interactive/instances'] == shifted['interactive/instances'] == len(ious) > 50
    assert shifted['interactive/point_mIoU'] == pytest.approx(np.mean(ious), abs=1e-9)
    for bound in (85, 90):
        clicks = np.where(np.array(ious) >= bound / 100, 1, 2)
        assert shifted[f'interactive/NoC@{bound}'] == clicks.mean() < 2


def ious_of(sample):
    """pycocotools' IoU of each object with itself, moved, without the pixels of crowds."""
    void = sample.get('ignored_instances')
    void = np.zeros(sample.ori_shape[:2], bool) if void is None or not len(void) else (
        void.masks.to_ndarray().astype(bool).any(0))
    pairs = [(mask & ~void, moved(mask, RIGHT, DOWN) & ~void)
             for mask in sample.gt_instances.masks.to_ndarray().astype(bool)]
    return [iou(*([encode(np.asfortranarray(mask, np.uint8))] for mask in pair[::-1]), [0]).item()
            for pair in pairs if pair[0].any()]
