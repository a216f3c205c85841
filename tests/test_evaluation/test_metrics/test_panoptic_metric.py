"""Panoptic quality: hand-made cases, and mmdet's own matching on random pictures."""
import json

import numpy as np
import pytest
import torch
from mmdet.evaluation.functional import panoptic_utils
from panoptic_files import stand_in_for_panopticapi, write_truth
from PIL import Image

from projects.glee.evaluation.functional.panoptic_quality import (
    Counts,
    TrueSegment,
    average_quality,
    count_segments,
)
from projects.glee.evaluation.metrics import PanopticMetric
from projects.glee.structures.panoptic_ids import id2rgb

META = dict(classes=('square', 'sky'), thing_classes=('square', ), stuff_classes=('sky', ))


def evaluate(root, labels):
    metric = PanopticMetric(str(root / 'pan.json'), str(root / 'maps'), prefix='panoptic')
    metric.dataset_meta = META
    metric.process({}, [dict(img_id=1, pred_panoptic_seg=dict(sem_seg=torch.tensor(labels)[None]))])
    return metric.evaluate(1)


@pytest.mark.parametrize('spoil, pq, things', [
    (lambda m: m, 1.0, 1.0),
    # one square becomes void: TP 1, FN 1 for squares; its pixels are gone from nobody else
    (lambda m: np.where(m == 2000, 2, m), (1 / 1.5 + 1) / 2, 1 / 1.5),
    (lambda m: np.where(m == 1000, 0, m), 1.0, 1.0),  # label 0 without a number is a segment as any other
])
def test_one_picture(tmp_path, spoil, pq, things):
    ids = write_truth(tmp_path)
    values = evaluate(tmp_path, spoil(np.array([0, 1000, 2000, 3001])[ids]))
    assert values['panoptic/PQ'] == pytest.approx(100 * pq) and values['panoptic/PQ_th'] == pytest.approx(100 * things)
    assert values['panoptic/PQ_st'] == 100


def test_what_does_not_fit_is_named(tmp_path, monkeypatch):
    write_truth(tmp_path)
    with pytest.raises(ValueError, match=r'a\.png has height and width \(20, 30\), the prediction \(20, 20\)'):
        evaluate(tmp_path, np.full((20, 20), 1))
    monkeypatch.setitem(META, 'classes', ('squares', 'sky'))
    with pytest.raises(ValueError, match='pan.json: no category is named squares'):
        evaluate(tmp_path, np.full((20, 30), 1000))


def test_nothing_scored_gives_no_number(tmp_path):
    write_truth(tmp_path)
    content = json.loads((tmp_path / 'pan.json').read_text())
    content['annotations'][0]['segments_info'] = []
    (tmp_path / 'pan.json').write_text(json.dumps(content))
    assert evaluate(tmp_path, np.full((20, 30), 2)) == {}


def test_groups_without_a_segment_have_no_number(tmp_path):
    """Things alone in truth and prediction: no number of stuff."""
    ids = write_truth(tmp_path)
    content = json.loads((tmp_path / 'pan.json').read_text())
    content['annotations'][0]['segments_info'].pop()  # the sky
    (tmp_path / 'pan.json').write_text(json.dumps(content))
    values = evaluate(tmp_path, np.array([2, 1000, 2000, 2])[np.where(ids == 3, 0, ids)])
    assert {name.partition('/')[2] for name in values} == {'PQ', 'SQ', 'RQ', 'PQ_th', 'SQ_th', 'RQ_th'}


def test_void_and_crowds_by_hand():
    """Half of a row each: void, a crowd of 1, a segment of 1; predictions on them."""
    truth = np.array([[0, 0, 0, 0, 5, 5, 5, 5, 6, 6, 6, 6]])
    segments = {5: TrueSegment(1, 4, True), 6: TrueSegment(1, 4, False)}
    predicted = np.array([[1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 0]])
    counts = count_segments(truth, segments, predicted, {1: 9, 2: 1, 3: 1})
    # 1 lies in void, 2 in void and the crowd of its category; 3 covers 3 of 4 pixels of segment 6, and 1 more
    assert counts == {1: Counts(iou=3 / 5, tp=1)}
    # the crowd of another category protects nobody
    assert count_segments(truth, segments, predicted, {1: 9, 2: 2, 3: 1})[2] == Counts(fp=1)


def test_counts_equal_those_of_mmdets_matching(tmp_path, monkeypatch):
    """mmdet has panopticapi's matching; only its constants and container are missing without the package."""
    stand_in_for_panopticapi(monkeypatch)
    rng = np.random.default_rng(0)
    for number in range(30):
        coarse = rng.integers(0, 7, (2, 4, 5)).repeat(6, 1).repeat(6, 2)
        truth, predicted = coarse[0], np.where(rng.random((24, 30)) < 0.6, coarse[0], np.roll(coarse[1], 2, 0))
        categories = rng.integers(1, 3, 7)
        true = {i: TrueSegment(int(categories[i]), int((truth == i).sum()), bool(rng.random() < 0.3))
                for i in np.unique(truth).tolist() if i and rng.random() < 0.9}
        found = {i: int(categories[i] if rng.random() < 0.8 else 3) for i in np.unique(predicted).tolist() if i}
        for name, ids in (('truth', truth), ('predicted', predicted)):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(id2rgb(ids)).save(tmp_path / name / 'a.png')
        expected = panoptic_utils.pq_compute_single_core(
            0, [(dict(image_id=number, file_name='a.png', segments_info=[
                dict(id=i, category_id=s.category, area=s.area, iscrowd=int(s.is_crowd)) for i, s in true.items()]),
                 dict(file_name='a.png', segments_info=[dict(id=i, category_id=c) for i, c in found.items()]))],
            str(tmp_path / 'truth'), str(tmp_path / 'predicted'), {1: {}, 2: {}, 3: {}})
        assert count_segments(truth, true, predicted, found) == expected


def test_averages_by_hand():
    counts = {0: Counts(iou=1.5, tp=2, fp=1), 1: Counts(fp=2, fn=2), 2: Counts(iou=0.6, tp=1), 3: Counts()}
    mean = average_quality(counts, counts)
    assert mean['pq'] == pytest.approx((1.5 / 2.5 + 0 + 0.6) / 3) and mean['n'] == 3
    assert mean['sq'] == pytest.approx((0.75 + 0 + 0.6) / 3) and mean['rq'] == pytest.approx((0.8 + 0 + 1) / 3)
    assert average_quality(counts, (2, 3))['pq'] == pytest.approx(0.6)
    assert average_quality(counts, (3, )) == dict(pq=0, sq=0, rq=0, n=0)
