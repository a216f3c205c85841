"""LVIS AP against COCOeval where the rules agree, and by hand where they do not."""
import json

import numpy as np
import pycocotools.mask as mask_utils
import pytest
import torch
from image_files import annotation, write_json
from logs import captured_log
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from projects.glee.evaluation.metrics import LVISEvalMetric, LVISFixedEvalMetric

SIZE = 200
NAMES = ('dotted red star', 'ring', 'sofa_(blue)')


def lvis_file(path, objects, negatives=None, not_exhaustive=None, frequencies='rcf'):
    """objects: per image a list of (category index, xywh)."""
    images = [dict(id=i + 1, width=SIZE, height=SIZE, coco_url=f'http://x/val2017/{i}.jpg',
                   neg_category_ids=(negatives or {}).get(i, []),
                   not_exhaustive_category_ids=(not_exhaustive or {}).get(i, []))
              for i in range(len(objects))]
    anns = [(i, c, box) for i, image in enumerate(objects) for c, box in image]
    return write_json(path, dict(
        images=images, annotations=[annotation(n + 1, i + 1, c + 1, box)
                                    for n, (i, c, box) in enumerate(anns)],
        categories=[dict(id=i + 1, name=name, frequency=f)
                    for i, (name, f) in enumerate(zip(NAMES, frequencies))]))


def mask_of(box):
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    x, y, w, h = map(round, box)
    mask[y:y + h, x:x + w] = True
    return mask


def evaluate(path, detections, kind=LVISEvalMetric, **kwargs):
    """detections: per image a list of (category index, score, xywh[, mask box])."""
    metric = kind(ann_file=path, metric=['bbox', 'segm'], **kwargs)
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=NAMES)
    for i, image in enumerate(detections):
        boxes = torch.tensor([d[2] for d in image], dtype=torch.float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        evaluator.process([DetDataSample(
            metainfo=dict(img_id=i + 1, ori_shape=(SIZE, SIZE)),
            pred_instances=InstanceData(
                bboxes=boxes, labels=torch.tensor([d[0] for d in image], dtype=torch.long),
                scores=torch.tensor([d[1] for d in image], dtype=torch.float),
                masks=torch.from_numpy(np.array([mask_of(d[-1]) for d in image], dtype=bool)
                                       .reshape(-1, SIZE, SIZE))))])
    return evaluator.evaluate(len(detections))


def test_numpy_itself_is_untouched():
    assert not hasattr(np, 'float')
    import lvis.eval
    assert lvis.eval.np is np


def random_case(seed, num_images=4):
    rng = np.random.default_rng(seed)
    objects, detections = [], []
    for _ in range(num_images):
        image, found = [], []
        for _ in range(rng.integers(2, 7)):
            side = rng.choice([12, 50, 110])  # small, medium and large objects
            box = [*rng.integers(0, SIZE - side - 8, 2), side, side + rng.integers(0, 8)]
            image.append((int(rng.integers(3)), [float(v) for v in box]))
        for category, box in image * 2:
            if rng.random() < 0.7:
                moved = np.array(box) + rng.integers(-3, 4, 4)
                moved[:2] = moved[:2].clip(0)
                label = category if rng.random() < 0.8 else int(rng.integers(3))
                # a mask smaller than its box, so that areas differ between bbox and segm
                inner = moved - [0, 0, moved[2] // 4, 0]
                found.append((label, float(rng.random()), moved.tolist(), inner.tolist()))
        objects.append(image)
        detections.append(found)
    return objects, detections


@pytest.mark.parametrize('seed', [0, 1])
def test_equals_coco_where_everything_is_annotated_exhaustively(tmp_path, seed):
    objects, detections = random_case(seed)
    # every category is either present or a verified negative: no federated rule applies
    path = lvis_file(tmp_path / 'lvis.json', objects,
                     negatives={i: [1, 2, 3] for i in range(len(objects))})
    got = evaluate(path, detections)
    truth = COCO(path)
    for metric in ('bbox', 'segm'):
        rows = []
        for i, image in enumerate(detections):
            for label, score, box, inner in image:
                row = dict(image_id=i + 1, category_id=label + 1, score=np.float32(score).item())
                if metric == 'bbox':
                    row['bbox'] = box
                else:
                    row['segmentation'] = mask_utils.encode(np.asfortranarray(mask_of(inner)))
                rows.append(row)
        coco = COCOeval(truth, truth.loadRes(rows), metric)
        coco.params.maxDets = [1, 10, 300]
        coco.evaluate()
        coco.accumulate()
        precision = coco.eval['precision']  # (IoU, recall, category, area, maxDets)

        def average(values):
            return values[values > -1].mean()

        for name, value in (('AP', precision[..., 0, 2]), ('AP50', precision[0, ..., 0, 2]),
                            ('AP75', precision[5, ..., 0, 2]), ('APs', precision[..., 1, 2]),
                            ('APm', precision[..., 2, 2]), ('APl', precision[..., 3, 2]),
                            ('APr', precision[:, :, 0, 0, 2]), ('APc', precision[:, :, 1, 0, 2]),
                            ('APf', precision[:, :, 2, 0, 2])):
            assert got[f'lvis/{metric}_{name}'] == pytest.approx(average(value), abs=1e-12), name
    assert 0.05 < got['lvis/segm_AP'] < 0.95
    assert got['lvis/segm_AP'] != got['lvis/bbox_AP']


BOX, AWAY = [20., 20, 40, 40], [120., 120, 40, 40]
PERFECT = (0, 0.5, BOX)


def ap(path, detections, **kwargs):
    got = evaluate(path, detections, **kwargs)
    assert got['lvis/bbox_AP'] == got['lvis/segm_AP']
    return got['lvis/bbox_AP']


def test_federated_rules_by_hand(tmp_path):
    # image 0 has category 0; image 1 has none of it
    objects = [[(0, BOX)], [(1, BOX)]]
    other = (1, 0.9, BOX)
    cases = {
        # a better-scored false positive halves the precision of category 0 ...
        'negative': (dict(negatives={1: [1]}), (0.5 + 1) / 2),
        # ... unless nobody said that image 1 is free of category 0
        'unverified': ({}, 1.0),
    }
    for name, (rules, expected) in cases.items():
        path = lvis_file(tmp_path / f'{name}.json', objects, **rules)
        assert ap(path, [[PERFECT], [(0, 0.8, AWAY), other]]) == pytest.approx(expected), name
    # within a positive image a second detection is wrong, or ignored if not exhaustive
    wrong = [[PERFECT, (0, 0.8, AWAY)], [other]]
    assert ap(lvis_file(tmp_path / 'a.json', objects), wrong) == pytest.approx((0.5 + 1) / 2)
    path = lvis_file(tmp_path / 'b.json', objects, not_exhaustive={0: [1]})
    assert ap(path, wrong) == pytest.approx(1.0)


def test_at_most_300_detections_per_image(tmp_path):
    path = lvis_file(tmp_path / 'a.json', [[(0, BOX)]], negatives={0: [2]})
    noise = [(1, 0.9, AWAY)] * 299
    assert ap(path, [[*noise, PERFECT]]) == pytest.approx(1.0)
    assert ap(path, [[*noise, (1, 0.9, AWAY), PERFECT]]) == pytest.approx(0.0)


def test_mask_area_decides_size_groups(tmp_path):
    """A small object (900 px) found with a loose box: its mask is right, hence APs = 1."""
    box = [20., 20, 30, 30]
    path = lvis_file(tmp_path / 'a.json', [[(0, box)]])
    got = evaluate(path, [[(0, 0.9, [10., 10, 60, 60], box), (0, 0.95, AWAY, [120, 120, 40, 40])]])
    assert got['lvis/segm_APs'] == pytest.approx(1.0)  # the false positive (1600 px) is not small
    assert got['lvis/bbox_APs'] == 0


def test_nothing_found_groups_without_category_and_class_names(tmp_path):
    """Nothing found is 0; numbers of sizes, frequencies and categories without an object are left out, and named."""
    path = lvis_file(tmp_path / 'a.json', [[(0, BOX)]], frequencies='ccc')
    items = {'AP', 'AP50', 'AP75', 'APm', 'APc'}
    assert evaluate(path, [[]]) == {f'lvis/{m}_{item}': 0 for m in ('bbox', 'segm') for item in items}
    with captured_log() as messages:
        got = evaluate(path, [[PERFECT]], classwise=True)
    assert set(got) == {f'lvis/{m}_{item}' for m in ('bbox', 'segm') for item in items} | {
        'lvis/dotted red star_precision'}
    assert all(value == pytest.approx(1) for value in got.values())
    assert any('nothing was scored for bbox_APs, bbox_APl, bbox_APr, bbox_APf, ring_precision' in message
               for message in messages)


def test_result_files_and_subsets_of_names(tmp_path):
    path = lvis_file(tmp_path / 'a.json', [[(2, BOX)]])
    metric = LVISEvalMetric(ann_file=path, format_only=True, outfile_prefix=str(tmp_path / 'out'))
    metric.dataset_meta = dict(classes=NAMES[1:])
    assert metric._category_ids() == [2, 3]
    one = dict(img_id=1, labels=[1], scores=[0.5], bboxes=[[20., 20, 60, 60]])
    assert metric.compute_metrics([({}, one)]) == {}
    assert json.loads((tmp_path / 'out.bbox.json').read_text()) == [
        dict(image_id=1, category_id=3, score=0.5, bbox=[20, 20, 40, 40])]
    metric.dataset_meta = dict(classes=('moon', ))
    with pytest.raises(ValueError, match='moon'):
        metric._category_ids()
    with pytest.raises(ValueError, match='ann_file'):
        LVISEvalMetric()
    with pytest.raises(ValueError, match='proposal'):
        LVISEvalMetric(ann_file=path, metric='proposal')


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_fixed_ap_counts_the_best_of_each_category(tmp_path, seed):
    """As LVIS AP of what is left when the others are taken out by hand."""
    objects, detections = random_case(seed)
    path = lvis_file(tmp_path / 'a.json', objects)
    limit = {category: sorted((d[1] for image in detections for d in image if d[0] == category), reverse=True)[:4][-1]
             for category in {d[0] for image in detections for d in image}}
    kept = [[d for d in image if d[1] >= limit[d[0]]] for image in detections]
    assert sum(map(len, kept)) < sum(map(len, detections))
    assert evaluate(path, detections, LVISFixedEvalMetric, topk=4) == evaluate(path, kept)
    assert evaluate(path, detections, LVISFixedEvalMetric) == evaluate(path, detections)


def test_fixed_ap_has_no_limit_of_an_image(tmp_path):
    """The only object is the 301st detection: found by fixed AP, behind 300 of another category that is annotated."""
    path = lvis_file(tmp_path / 'a.json', [[(0, [10, 10, 50, 50])]], negatives={0: [2]})
    detections = [[(1, 0.9, [100, 100, 20, 20])] * 300 + [(0, 0.5, [10, 10, 50, 50])]]
    fixed = evaluate(path, detections, LVISFixedEvalMetric)
    assert fixed['lvis/bbox_AP'] == fixed['lvis/segm_AP'] == pytest.approx(1)
    assert evaluate(path, detections)['lvis/bbox_AP'] == 0
