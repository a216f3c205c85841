"""Hungarian matching against full masks, mmdet's assigner, brute force and recorded costs."""
from itertools import permutations

import numpy as np
import pytest
import torch
from criterion_inputs import R, random_case, recipe_boxes, recipe_rand
from goldens import load_golden
from mmcv.ops import point_sample
from mmdet.models.task_modules.assigners import HungarianAssigner
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData

from projects.glee.models.task_modules import BinaryMaskCost, HungarianMatcher

# the constants of the released models, written out apart from the code's defaults
RELEASED_COSTS = [
    dict(type='FocalLossCost', alpha=.25, gamma=2., weight=4., eps=1e-6),
    dict(type='BBoxL1Cost', box_format='xywh', weight=5.),
    dict(type='IoUCost', iou_mode='giou', weight=2.),
    dict(type='CrossEntropyLossCost', use_sigmoid=True, weight=5.),
    dict(type='DiceCost', pred_act=True, eps=1., weight=5.),
]


def total_costs(matcher, *args, **kwargs):
    """Total cost matrix of each image."""
    return [sum(terms.values()) for terms in matcher.costs(*args, **kwargs)]


def test_single_costs_equal_the_released_code():
    arrays, _ = load_golden('loss_functions')
    matcher = HungarianMatcher()
    pred = InstanceData(masks=torch.from_numpy(R.normal('alone:mx', (5, 300), 2)))
    truth = InstanceData(masks=torch.from_numpy(R.uniform('alone:my', (5, 300)) > .6))
    entropy, dice = matcher.mask_costs[0].terms(pred.masks, truth.masks.float())
    np.testing.assert_allclose(entropy, arrays['batch_bce'], rtol=1e-5)
    np.testing.assert_allclose(dice, arrays['batch_dice'], rtol=1e-5)
    pred, truth = (InstanceData(bboxes=bbox_cxcywh_to_xyxy(
        recipe_boxes(f'alone:b{k}c', f'alone:b{k}s', (6, ), size=(.05, .5)))) for k in (1, 2))
    giou = -matcher.box_costs[1](pred, truth) / matcher.box_costs[1].weight
    np.testing.assert_allclose(giou, arrays['giou_matrix'], rtol=1e-4, atol=1e-6)


def test_mask_costs_are_those_of_mmdet():
    """Few objects and many, saturated logits, values between 0 and 1."""
    costs = [TASK_UTILS.build(cost) for cost in RELEASED_COSTS[-2:]]
    gen = torch.Generator().manual_seed(0)
    for num_objects in (0, 1, 7):
        pred = InstanceData(masks=torch.randn(5, 300, generator=gen) * 30)
        truth = InstanceData(masks=torch.rand(num_objects, 300, generator=gen))
        torch.testing.assert_close(BinaryMaskCost()(pred, truth), sum(cost(pred, truth) for cost in costs),
                                   rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('num_points', [300, 2100])
def test_mask_costs_of_embeddings_are_those_of_their_masks(num_points):
    """Against mmdet's costs of the whole logits; more points than a chunk, and saturated ones."""
    gen = torch.Generator().manual_seed(0)
    embeds, features = torch.randn(80, 64, generator=gen), torch.randn(num_points, 64, generator=gen) * 2
    values = torch.rand(3, num_points, generator=gen)
    pred, truth = InstanceData(masks=embeds @ features.T), InstanceData(masks=values)
    expected = sum(TASK_UTILS.build(cost)(pred, truth) for cost in RELEASED_COSTS[-2:])
    torch.testing.assert_close(BinaryMaskCost().of_embeds(embeds, features, values), expected, rtol=1e-5, atol=1e-5)


def test_saturated_logits_cost_as_in_the_released_code():
    """The eps inside the logarithms is 1e-6, not mmdet's default."""
    cost = HungarianMatcher().class_costs[0]
    pred = InstanceData(scores=torch.tensor([[-40.], [40.]]))
    values = cost(pred, InstanceData(labels=torch.tensor([0]))).flatten()
    # 4 * .25 * -log(1e-6) and 4 * .75 * log(1e-6)
    torch.testing.assert_close(values, torch.tensor([13.8155, -41.4465]), rtol=1e-4, atol=0)


def test_sampled_features_match_like_full_masks(monkeypatch):
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    predictions, features, targets = random_case((3, 5), outputs=('', 'd0'))
    matcher = HungarianMatcher(num_points=200)
    costs = total_costs(matcher, predictions, features, targets)
    matches = matcher(predictions, features, targets)
    points = recipe_rand(1, 200, 2)
    assigner = HungarianAssigner(RELEASED_COSTS)
    for output, (key, prediction) in enumerate(predictions.items()):
        full = torch.einsum('bqd,bdhw->bqhw', prediction['mask_embeds'], features)
        for image, target in enumerate(targets):
            pred = InstanceData(
                scores=prediction['logits'][image],
                bboxes=bbox_cxcywh_to_xyxy(prediction['boxes'][image]),
                masks=point_sample(full[image, None], points)[0])
            truth = InstanceData(
                labels=target.labels, bboxes=bbox_cxcywh_to_xyxy(target.boxes),
                masks=point_sample(target.masks[None].float(), points)[0])
            expected = sum(cost(pred, truth, dict(img_shape=(1, 1)))
                           for cost in assigner.match_costs)
            rows = slice(12 * output, 12 * (output + 1))
            torch.testing.assert_close(costs[image][rows], expected, rtol=1e-5, atol=1e-5)
            assigned = assigner.assign(pred, truth, dict(img_shape=(1, 1))).gt_inds
            query, matched = matches[key][image]
            assert query.tolist() == assigned.nonzero().flatten().tolist()
            assert matched.tolist() == (assigned[query] - 1).tolist()


def test_assignment_is_the_cheapest_of_all():
    predictions, features, targets = random_case((3, ), num_queries=6, outputs=('', ))
    matcher = HungarianMatcher(num_points=64)
    torch.manual_seed(1)
    cost = total_costs(matcher, predictions, features, targets)[0]
    torch.manual_seed(1)
    query, matched = matcher(predictions, features, targets)[''][0]
    best = min(sum(cost[q, n] for n, q in enumerate(rows)) for rows in permutations(range(6), 3))
    assert cost[query, matched].sum() == pytest.approx(best.item(), rel=1e-6)
    assert sorted(matched.tolist()) == [0, 1, 2] and query.tolist() == sorted(query.tolist())


def test_outputs_matched_together_equal_outputs_matched_alone(monkeypatch):
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    predictions, features, targets = random_case((2, 0, 4), outputs=('', 'd0', 'd1', 'enc'))
    matcher = HungarianMatcher(num_points=64)
    together = matcher(predictions, features, targets)
    assert list(together) == list(predictions)
    for key in predictions:
        alone = matcher({key: predictions[key]}, features, targets)[key]
        assert [torch.stack(pair).tolist() for pair in together[key]] \
            == [torch.stack(pair).tolist() for pair in alone]


@pytest.mark.parametrize('counts', [(0, ), (0, 0), (3, 0)])
def test_images_without_object(counts):
    matches = HungarianMatcher(num_points=64)(*random_case(counts))
    for pairs in matches.values():
        assert [len(query) for query, _ in pairs] == list(counts)


def test_more_objects_than_queries():
    query, matched = HungarianMatcher(num_points=64)(*random_case((9, ), num_queries=4))[''][0]
    assert query.tolist() == [0, 1, 2, 3] and len(set(matched.tolist())) == 4


def test_only_the_annotations_named_guide_the_matching():
    predictions, features, targets = random_case((3, 4))
    matcher = HungarianMatcher(num_points=64)
    names = [set(matcher.costs(predictions, features, targets, *use)[0])
             for use in ((False, False), (True, False), (True, True))]
    label = {'class cost FocalLossCost'}
    box = {'box cost BBoxL1Cost', 'box cost IoUCost'}
    assert names == [label, label | box,
                     label | box | {'mask cost BinaryMaskCost'}]
    for target in targets:
        del target.masks
    matcher(predictions, features, targets, use_masks=False)


def test_boxes_outside_the_image_cost_as_clamped():
    predictions, features, targets = random_case((3, ), outputs=('', ))
    matcher = HungarianMatcher()
    beyond = torch.tensor([1.3, -.2, 1.5, .4]).expand(1, 12, 4)
    args = features, targets, True, False
    costs = total_costs(matcher, {'': {**predictions[''], 'boxes': beyond}}, *args)
    clamped = total_costs(matcher, {'': {**predictions[''], 'boxes': beyond.clamp(0, 1)}}, *args)
    torch.testing.assert_close(costs, clamped)


def test_costs_are_fp32_under_autocast(monkeypatch):
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    predictions, features, targets = random_case((3, 4))
    matcher = HungarianMatcher(num_points=64)
    expected = total_costs(matcher, predictions, features, targets)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        costs = total_costs(matcher, predictions, features, targets)
    torch.testing.assert_close(costs, expected, rtol=0, atol=0)


@pytest.mark.parametrize('field, value, message', [
    ('logits', float('nan'), 'NaN: class cost FocalLossCost'),
    ('boxes', float('nan'), 'NaN: box cost BBoxL1Cost'),
    ('mask_embeds', float('nan'), 'NaN: mask cost BinaryMaskCost'),
    ('mask_embeds', 3e38, '(NaN|inf): mask cost BinaryMaskCost'),
])
def test_costs_that_are_not_finite_are_named(field, value, message):
    predictions, features, targets = random_case((2, 3), outputs=('', 'd0', 'd1'))
    broken = predictions['d1'][field].detach().clone()
    broken[1, 4] = value
    predictions['d1'][field] = broken
    with pytest.raises(ValueError, match=f"cost contains {message} of output 'd1', image 1"):
        HungarianMatcher(num_points=64)(predictions, features, targets)
