"""COCO AP with checked rows: pycocotools' numbers, whatever the rows are like, and none of them ends a test."""
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import edit_json, write_json
from logs import captured_log
from mmdet.evaluation.metrics import CocoMetric
from mmdet.structures import DetDataSample
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from paths import FORMATS

from projects.glee.evaluation.functional.coco_truth import load_truth
from projects.glee.evaluation.metrics import CocoEvalMetric, LVISEvalMetric
from projects.glee.structures import masks

COCO = FORMATS / 'coco'
SIZE = (30, 40)


def square(x, y, width, height):
    mask = np.zeros(SIZE, bool)
    mask[y:y + height, x:x + width] = True
    return mask


def run(metric, detections, classes, unreadable=()):
    """detections: per image id a list of (label, score, mask); boxes are those of the masks."""
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(classes=classes)
    for image, found in detections.items():
        size = found[0][2].shape if found else SIZE
        corners = [[x, y, x + w, y + h] for x, y, w, h in (masks.bounding_box(masks.encode(m)) for _, _, m in found)]
        meta = dict(img_id=image, ori_shape=size, **(dict(unreadable=True) if image in unreadable else {}))
        evaluator.process([DetDataSample(metainfo=meta, pred_instances=InstanceData(
            bboxes=torch.tensor(corners).reshape(-1, 4), labels=torch.tensor([d[0] for d in found], dtype=torch.long),
            scores=torch.tensor([d[1] for d in found], dtype=torch.float),
            masks=torch.from_numpy(np.array([d[2] for d in found], bool).reshape(-1, *size))))])
    return evaluator.evaluate(len(detections))


def stock(path, detections):
    """What mmdet's metric says, without its -1 of what is not annotated."""
    numbers = run(CocoMetric(path, metric=['bbox', 'segm'], proposal_nums=(1, 10, 100)), detections, ('star', 'ring'))
    return {name: value for name, value in numbers.items() if value != -1}


def truth_file(path, images, **changes):
    """images: per image a list of (category id from 1, x, y, width, height); ``changes`` of the first row."""
    rows = [dict(id=number, image_id=image + 1, category_id=category, bbox=list(box), area=box[2] * box[3], iscrowd=0,
                 segmentation=masks.encode(square(*box)))
            for number, (image, category, *box) in enumerate(
                [(i, *obj) for i, objects in enumerate(images) for obj in objects], 1)]
    rows[0].update(changes)
    return write_json(path, dict(
        images=[dict(id=i + 1, file_name=f'{i}.jpg', width=SIZE[1], height=SIZE[0]) for i in range(len(images))],
        annotations=rows, categories=[dict(id=1, name='star'), dict(id=2, name='ring')]))


def random_images(rng, count):
    def box():
        x, y = int(rng.integers(0, 30)), int(rng.integers(0, 20))
        return x, y, int(rng.integers(2, 41 - x)), int(rng.integers(2, 31 - y))

    return [[(int(rng.integers(1, 3)), *box()) for _ in range(rng.integers(1, 4))] for _ in range(count)]


def near(rng, images):
    """Detections near the objects and some elsewhere."""
    found = {}
    for image, objects in enumerate(images, 1):
        shifted = [(category, max(0, x + int(rng.integers(-2, 3))), max(0, y + int(rng.integers(-2, 3))), w, h)
                   for category, x, y, w, h in objects + random_images(rng, 1)[0]]
        found[image] = [(category - 1, float(rng.random()), square(*box)) for category, *box in shifted]
    return found


@pytest.mark.parametrize('seed', range(4))
def test_sound_files_have_the_numbers_of_the_stock_metric(tmp_path, seed):
    rng = np.random.default_rng(seed)
    images = random_images(rng, 8)
    path = truth_file(tmp_path / 'a.json', images)
    detections = near(rng, images)
    ours = run(CocoEvalMetric(path, metric=['bbox', 'segm']), detections, ('star', 'ring'))
    assert ours == stock(path, detections)
    assert 0 < ours['coco/segm_mAP'] < 1


@pytest.mark.parametrize('change', [
    lambda c: [row.update(id=0) for row in c['annotations']],
    lambda c: [row.pop('id') for row in c['annotations']],
    lambda c: [row.update(id=10**30) for row in c['annotations']],
    lambda c: [row.pop('iscrowd') for row in c['annotations']],
    lambda c: [row.pop('area') for row in c['annotations']],
    lambda c: [row.update(iscrowd='0', bbox=[str(v) for v in row['bbox']]) for row in c['annotations']],
    lambda c: [row.update(image_id=str(row['image_id'])) for row in c['annotations']],
], ids=['ids 0', 'no ids', 'long ids', 'no iscrowd', 'no area', 'text', 'text ids'])
def test_numbers_do_not_depend_on_how_a_row_is_written(tmp_path, change):
    rng = np.random.default_rng(9)
    images = random_images(rng, 6)
    detections = near(rng, images)
    path = truth_file(tmp_path / 'a.json', images)
    expected = run(CocoEvalMetric(path, metric=['bbox', 'segm']), detections, ('star', 'ring'))
    edit_json(Path(path), change)
    assert run(CocoEvalMetric(path, metric=['bbox', 'segm']), detections, ('star', 'ring')) == expected


def test_unusual_files_are_plain_ones():
    rows = json.loads((COCO / 'plain.json').read_text())['annotations']
    sizes = {1: (30, 40), 2: (4, 6)}
    detections = {i: [((row['category_id'] - 1) // 2, 0.9 - row['id'] / 100,
                       masks.decode(masks.to_rle(row['segmentation'], *sizes[i])))
                      for row in rows if row['image_id'] == i and not row['iscrowd']] for i in sizes}
    got = [run(CocoEvalMetric(str(COCO / f'{name}.json'), metric='segm'), detections, ('star', 'ring'))
           for name in ('plain', 'unusual')]
    assert got[0] == got[1] and got[0]['coco/segm_mAP'] == 1


# ---- a bad row or picture ----
OBJECTS = [[(1, 2, 3, 20, 15)], [(1, 5, 5, 30, 20)]]
PERFECT = {1: [(0, 0.9, square(2, 3, 20, 15))], 2: [(0, 0.8, square(5, 5, 30, 20))]}
HALF = pytest.approx(51 / 101, abs=1e-3)  # one object of two is found: precision 1 up to recall 0.5


@pytest.mark.parametrize('segmentation', [
    [], None, [[1, 2]], [[5, 6, float('nan'), 6, 25, 16]], [[5, 6, 2e8, 6, 25, 16]], dict(size=[30, 40], counts=[7]),
    'text'], ids=str)
def test_a_bad_mask_is_named_counts_as_missed_and_leaves_boxes_alone(tmp_path, segmentation):
    path = truth_file(tmp_path / 'a.json', OBJECTS, segmentation=segmentation)
    with captured_log() as messages:
        got = run(CocoEvalMetric(path, metric=['bbox', 'segm']), PERFECT, ('star', 'ring'))
    assert sum('a.json: 1 unusable' in m and '(first: row 0 of `annotations`, id 1)' in m for m in messages) == 1
    assert got['coco/bbox_mAP'] == 1 and got['coco/segm_mAP'] == pytest.approx(0.252, abs=1e-3)
    with captured_log() as messages:
        assert run(CocoEvalMetric(path), PERFECT, ('star', 'ring'))['coco/bbox_mAP'] == 1
    assert not [m for m in messages if 'unusable' in m]  # a test of boxes looks at no mask


@pytest.mark.parametrize('box', [
    None, [1, 2, 3], [1, float('nan'), 3, 4], [1, None, 3, 4], 'text', [1, 1, 1e300, 1]], ids=str)
def test_a_bad_box_is_named_counts_as_missed_and_leaves_masks_alone(tmp_path, box):
    path = truth_file(tmp_path / 'a.json', OBJECTS, bbox=box)
    with captured_log() as messages:
        got = run(CocoEvalMetric(path, metric=['bbox', 'segm']), PERFECT, ('star', 'ring'))
    assert sum('a.json: 1 unusable' in m for m in messages) == 1
    assert got['coco/segm_mAP'] == 1 and got['coco/bbox_mAP'] == pytest.approx(0.252, abs=1e-3)


def test_nothing_counts_as_found_in_an_unreadable_picture(tmp_path):
    """As the official program scores a result file without rows of that picture."""
    path = truth_file(tmp_path / 'a.json', OBJECTS)
    got = run(CocoEvalMetric(path, metric=['bbox', 'segm']), PERFECT, ('star', 'ring'), unreadable=[1])
    assert got == stock(path, {**PERFECT, 1: []}) and got['coco/bbox_mAP'] == HALF


def test_broken_rows_by_hand_are_named():
    with captured_log() as messages:
        truth = load_truth(str(COCO / 'broken.json'))
    rows = json.loads((COCO / 'broken.json').read_text())['annotations']
    summary, = [m for m in messages if 'unusable' in m]
    whole = ('iscrowd', 'unknown', 'annotation of')
    for row in rows[1:]:
        assert row['why'] in summary
    assert len(truth['annotations']) == sum(not row.get('why', '').startswith(whole) for row in rows)
    assert [row['id'] for row in truth['annotations']] == list(range(1, len(truth['annotations']) + 1))
    for row, kept in zip(rows, truth['annotations']):  # the rows that are left out are the last ones
        if row.get('why', '').startswith('box'):
            assert kept['bbox'] == [0, 0, 0, 0] and masks.area(masks.to_rle(kept['segmentation'], 30, 40)) > 0
        elif 'why' in row:
            assert kept['bbox'] == row['bbox'] and masks.area(kept['segmentation']) == 0


def test_files_that_are_none_are_named(tmp_path):
    for content, message in (
            ('[]', 'must be a JSON object'), ('{"images": []}', r"lacks \['categories'\]"), ('{', 'not valid JSON'),
            ('{"images": [], "categories": []}', 'no `categories`'),
            ('{"images": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}', 'twice')):
        (tmp_path / 'a.json').write_text(content)
        with pytest.raises(ValueError, match=f'a.json.*{message}'):
            CocoEvalMetric(str(tmp_path / 'a.json'))


# ---- LVIS ----
def lvis(path):
    def change(content):
        for image in content['images']:
            image.update(neg_category_ids=[], not_exhaustive_category_ids=[])
        for category in content['categories']:
            category['frequency'] = 'f'

    edit_json(Path(path), change)
    return path


def test_lvis_scores_bad_rows_and_pictures_alike(tmp_path):
    path = lvis(truth_file(tmp_path / 'a.json', OBJECTS, segmentation=[[5, 6, float('nan'), 6, 25, 16]]))
    got = run(LVISEvalMetric(path, metric=['bbox', 'segm']), PERFECT, ('star', 'ring'))
    assert got['lvis/bbox_AP'] == 1 and got['lvis/segm_AP'] == pytest.approx(0.252, abs=1e-3)
    path = lvis(truth_file(tmp_path / 'b.json', OBJECTS))
    got = run(LVISEvalMetric(path, metric=['bbox', 'segm']), PERFECT, ('star', 'ring'), unreadable=[1])
    assert got['lvis/bbox_AP'] == got['lvis/segm_AP'] == HALF


def test_a_file_without_the_federated_rules_is_no_lvis_file(tmp_path):
    path = truth_file(tmp_path / 'a.json', OBJECTS)
    with pytest.raises(ValueError, match='a.json: neg_category_ids is missing for id 1 of `images`'):
        LVISEvalMetric(path)


def test_sizes_without_an_object_have_no_number(tmp_path):
    """Small objects alone: pycocotools' -1 is left out and named."""
    path = truth_file(tmp_path / 'a.json', [[(1, 2, 2, 8, 8)]])
    with captured_log() as messages:
        got = run(CocoEvalMetric(ann_file=path, metric=['bbox', 'segm']), {1: [(0, 0.9, square(2, 2, 8, 8))]},
                  ('star', 'ring'))
    assert got == {f'coco/{metric}_mAP{name}': 1 for metric in ('bbox', 'segm') for name in ('', '_50', '_75', '_s')}
    assert any('nothing was scored for bbox_mAP_m, bbox_mAP_l, segm_mAP_m, segm_mAP_l' in text for text in messages)


def test_nothing_found_is_zero_and_not_left_out():
    """mmdet's own metric says nothing at all."""
    path = str(COCO / 'plain.json')
    images = json.loads((COCO / 'plain.json').read_text())['images']
    nothing = {row['id']: [] for row in images}
    numbers = run(CocoEvalMetric(path, metric=['bbox', 'segm']), nothing, ('star', 'ring'))
    assert numbers['coco/bbox_mAP'] == numbers['coco/segm_mAP'] == 0 and set(numbers.values()) == {0}
    assert stock(path, nothing) == {}
