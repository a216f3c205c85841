"""Referring metric on hand-computed cases and through the real data path."""
import numpy as np
import pytest
import torch
from image_files import write_refer
from logs import captured_log
from mmdet.evaluation.metrics import RefSegMetric
from mmdet.registry import METRICS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from pipelines import expression_test_pipeline

from projects.glee.datasets.image import ReferDataset
from projects.glee.evaluation.metrics import ReferringMetric


def mask_of(box, size=(10, 10)):
    mask = np.zeros(size, dtype=np.uint8)
    mask[box[1]:box[3], box[0]:box[2]] = 1
    return mask


def sample(truths, predictions, source='a', candidates=None):
    """truths: boxes; predictions: (label, score, box). Masks are the boxes."""
    boxes = [p[2] for p in predictions]
    gt = InstanceData(
        labels=torch.arange(len(truths)), bboxes=torch.tensor(truths).float(),
        masks=BitmapMasks(np.stack([mask_of(b) for b in truths]), 10, 10))
    pred = InstanceData(
        labels=torch.tensor([p[0] for p in predictions], dtype=torch.long),
        scores=torch.tensor([p[1] for p in predictions]),
        bboxes=torch.tensor(boxes).float().reshape(-1, 4),
        masks=torch.from_numpy(np.array([mask_of(b) for b in boxes])).bool().reshape(-1, 10, 10))
    return DetDataSample(gt_instances=gt, pred_instances=pred, metainfo=dict(
        text=tuple('abc'[:len(truths)]), source=source, img_path='p.jpg', candidates=candidates))


def evaluate(samples, **kwargs):
    evaluator = Evaluator([ReferringMetric(prefix='refcoco', **kwargs)])
    for one in samples:
        evaluator.process([one])
    return evaluator.evaluate(len(samples))


# image 1: expression 0: best row is the perfect one; 1: IoU exactly 0.5; 2: nothing predicted
FIRST = sample([[0, 0, 4, 4], [0, 0, 4, 2], [5, 5, 9, 9]],
               [(0, 0.3, [5, 5, 8, 8]), (1, 0.9, [0, 0, 2, 2]), (0, 0.7, [0, 0, 4, 4])])
# image 2: 12 of 16 pixels: IoU 0.75
SECOND = sample([[2, 2, 6, 6]], [(0, 0.1, [2, 2, 6, 5])], source='b')


def test_no_expression_gives_no_number():
    """Neither 0 nor an error, and it is said."""
    with captured_log() as messages:
        assert evaluate([], per_source=True) == {}
    assert any('ReferringMetric: nothing was scored for P@0.5' in message for message in messages)


def test_hand_computed_numbers():
    got = evaluate([FIRST, SECOND])
    inter, union = [16, 4, 0, 12], [16, 8, 16, 16]
    assert got == pytest.approx({
        'refcoco/P@0.5': 2 / 4, 'refcoco/oIoU': sum(inter) / sum(union),
        'refcoco/mIoU': (1 + 0.5 + 0 + 0.75) / 4})
    # the order of the rows of a sample does not matter, one image per sample does not either
    assert evaluate([SECOND, FIRST]) == pytest.approx(got)


def test_threshold_is_strict_unless_inclusive():
    assert evaluate([FIRST])['refcoco/P@0.5'] == pytest.approx(1 / 3)
    assert evaluate([FIRST], inclusive=True)['refcoco/P@0.5'] == pytest.approx(2 / 3)
    assert evaluate([SECOND], iou_thr=0.75)['refcoco/P@0.75'] == 0
    assert evaluate([SECOND], iou_thr=0.7)['refcoco/P@0.7'] == 1


def test_numbers_per_source():
    got = evaluate([FIRST, SECOND], per_source=True)
    assert got['refcoco/a_P@0.5'] == pytest.approx(1 / 3)
    assert got['refcoco/b_P@0.5'] == 1 and got['refcoco/b_mIoU'] == pytest.approx(0.75)
    assert got['refcoco/a_oIoU'] == pytest.approx(20 / 40)
    assert got['refcoco/P@0.5'] == pytest.approx(0.5)


def test_masks_agree_with_mmdet_where_it_is_defined():
    stock = RefSegMetric()
    for seed in range(5):
        rng = np.random.default_rng(seed)
        corners = rng.integers(0, 5, (3, 2, 2))
        sizes = rng.integers(1, 5, (3, 2, 2))
        boxes = np.concatenate([corners, corners + sizes], -1)
        one = sample(boxes[:, 0].tolist(), [(k, 0.5, boxes[k, 1].tolist()) for k in range(3)])
        stock.process({}, [dict(pred_instances=dict(masks=one.pred_instances.masks),
                                gt_masks=one.gt_instances.masks)])
        got = evaluate([one])
        # its oIoU and mIoU are percentages
        expected = stock.compute_metrics(stock.results[-1:])
        assert got['refcoco/oIoU'] * 100 == pytest.approx(float(expected['cIoU']))
        assert got['refcoco/mIoU'] * 100 == pytest.approx(float(expected['mIoU']), rel=1e-5)


def test_empty_prediction_and_empty_truth_count_zero():
    one = sample([[2, 2, 2, 2]], [(0, 0.5, [3, 3, 3, 3])])
    assert evaluate([one]) == {'refcoco/P@0.5': 0, 'refcoco/oIoU': 0, 'refcoco/mIoU': 0}


def test_nothing_counts_as_found_in_an_unreadable_picture():
    one = sample([[2, 2, 6, 6]], [(0, 0.5, [2, 2, 6, 6])])
    assert evaluate([one]) == {'refcoco/P@0.5': 1, 'refcoco/oIoU': 1, 'refcoco/mIoU': 1}
    one.set_metainfo(dict(unreadable=True))
    assert evaluate([one]) == {'refcoco/P@0.5': 0, 'refcoco/oIoU': 0, 'refcoco/mIoU': 0}


def test_blind_score_is_the_mean_over_same_name_objects():
    # expression 0: itself, another, and one that overlaps by 12/16; expression 1: alone
    first = sample([[0, 0, 4, 4], [5, 5, 9, 9]], [], candidates=[
        [[0, 0, 4, 4], [5, 5, 9, 9], [0, 0, 4, 3]], [[5, 5, 9, 9]]])
    second = sample([[0, 0, 4, 4]], [], source='b', candidates=[[[0, 0, 4, 4], [6, 6, 9, 9]]])
    got = evaluate([first, second], blind=True, per_source=True)
    assert got['refcoco/blind_P@0.5'] == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert got['refcoco/b_blind_P@0.5'] == pytest.approx(1 / 2)
    with pytest.raises(KeyError, match='p.jpg has no `candidates`'):
        evaluate([SECOND], blind=True)


def test_unusable_samples_are_named():
    bad = sample([[0, 0, 4, 4]], [])
    bad.gt_instances.labels += 1
    with pytest.raises(ValueError, match=r'p.jpg has 1 expressions but objects with labels \[1\]'):
        evaluate([bad])
    small = sample([[0, 0, 4, 4]], [(0, 0.5, [0, 0, 4, 4])])
    small.pred_instances.masks = small.pred_instances.masks[:, :5]
    with pytest.raises(ValueError, match='differ in size'):
        evaluate([small])
    maskless = sample([[0, 0, 4, 4]], [(0, 0.5, [0, 0, 4, 4])])
    del maskless.pred_instances.masks
    with pytest.raises(KeyError, match='with_mask=False'):
        evaluate([maskless])
    assert evaluate([maskless], with_mask=False) == {'refcoco/P@0.5': 1}


def test_through_the_data_path(tmp_path):
    """Perfect answers score 1 and blind counts same-name boxes of instances.json."""
    objects = [(1, 1, (4, 4, 10, 10)), (1, 1, (30, 4, 10, 20)), (1, 2, (20, 30, 12, 12)),
               (2, 2, (8, 8, 16, 16))]
    refs = [dict(ann=0, split='val', sentences=['a', 'b']), dict(ann=2, split='val', sentences='c'),
            dict(ann=3, split='val', sentences=['d'])]
    data = ReferDataset(
        data_root=str(write_refer(tmp_path, refs, objects, 2)), ann_file='refcoco/instances.json',
        split_file='refcoco/refs(unc).p', data_prefix=dict(img_path='train2014/'), split='val',
        test_mode=True, pipeline=expression_test_pipeline())
    evaluator = Evaluator([METRICS.build(dict(type='ReferringMetric', blind=True))])
    for item in data:
        one = item['data_samples']
        truth = one.gt_instances
        one.pred_instances = InstanceData(
            labels=truth.labels, scores=torch.rand(len(truth)), bboxes=truth.bboxes.tensor,
            masks=torch.from_numpy(truth.masks.to_ndarray().astype(bool)))
        evaluator.process([one])
    assert evaluator.evaluate(len(data)) == pytest.approx({
        'referring/P@0.5': 1, 'referring/oIoU': 1, 'referring/mIoU': 1,
        'referring/blind_P@0.5': (0.5 + 0.5 + 1 + 1) / 4})
