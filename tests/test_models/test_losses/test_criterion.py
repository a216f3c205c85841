"""Losses against the released code, a plain implementation and hand-computed cases."""
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from criterion_inputs import (
    GOLDEN_KEYS,
    R,
    golden_predictions,
    golden_targets,
    random_case,
    recipe_boxes,
    recipe_rand,
)
from goldens import load_golden
from mmcv.ops import point_sample
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData

from projects.glee.models.layers import DenoisingGenerator
from projects.glee.models.losses import GLEECriterion, LossSwitch, criterion

WEIGHTS = dict(cls=4, conf=4, mask=5, dice=5, bbox=5, giou=2)
ALL_ON = LossSwitch(**{field.name: True for field in fields(LossSwitch)})
TERMS_OF = dict(semantic=['cls'], box=['bbox', 'giou'], mask=['mask', 'dice'],
                confidence=['conf'])


def focal(logits, target):
    """Sum of the sigmoid focal loss, alpha 0.25, gamma 2."""
    p = logits.double().sigmoid()
    loss = -.25 * target * (1 - p)**2 * p.log() - .75 * (1 - target) * p**2 * (1 - p).log()
    return loss.sum()


def name_of(key, term):
    return f'{key}.loss_{term}' if key else f'loss_{term}'


def leaves(predictions, features):
    return [tensor for output in predictions.values() for tensor in output.values()] + [features]


@pytest.mark.parametrize('case', ['criterion_masks', 'criterion_masks_visual'])
def test_losses_and_matches_equal_the_released_code(case, monkeypatch):
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    arrays, meta = load_golden(case)
    predictions, features = golden_predictions(meta)
    targets = golden_targets(meta['tag'], meta['counts'], meta['C'], meta['gt_mask_hw'])
    losses, matches = GLEECriterion(num_points=meta['num_points'])(
        predictions, features, targets, replace(ALL_ON, confidence=meta['visual_P']))
    expected = dict(zip(meta['loss_names'], arrays['loss_values']))
    suffixes = {'final': '', 'aux0': '_0', 'aux1': '_1', 'interm': '_interm'}
    for output, key in GOLDEN_KEYS.items():
        for term, weight in WEIGHTS.items():
            if (key, term) == ('enc', 'conf'):
                assert name_of(key, term) not in losses
                continue
            golden = 'loss_' + {'cls': 'ce'}.get(term, term) + suffixes[output]
            assert losses[name_of(key, term)].item() / weight == pytest.approx(
                expected[golden], rel=1e-5), golden
        for image, pair in enumerate(matches[key]):
            np.testing.assert_array_equal(
                torch.stack(pair), arrays[f'match_{output}_img{image}'])


def test_single_losses_equal_the_released_code():
    arrays, _ = load_golden('loss_functions')
    losses = GLEECriterion()
    logits, names = R.normal('alone:x', (2, 30, 7), 2), R.uniform('alone:y', (2, 30, 7)) > .9
    masks, truth = R.normal('alone:mx', (5, 300), 2), R.uniform('alone:my', (5, 300)) > .6
    a, b = (recipe_boxes(f'alone:b{k}c', f'alone:b{k}s', (6, ), size=(.05, .5)) for k in (1, 2))

    def total(loss, pred, target):
        loss = getattr(losses, f'loss_{loss}')
        values = loss(torch.as_tensor(pred), torch.as_tensor(target).float(),
                      reduction_override='none')
        return values.sum().item() / loss.loss_weight

    assert total('cls', logits.reshape(60, 7), names.reshape(60, 7)) / 3 == pytest.approx(
        arrays['focal_times_queries'], rel=1e-5)
    assert total('conf', logits.reshape(-1, 1), names.reshape(-1, 1)) / 30 / 3 == pytest.approx(
        arrays['focal'], rel=1e-5)
    assert total('mask', masks, truth) / 300 / 4 == pytest.approx(arrays['mask_bce'], rel=1e-5)
    assert total('dice', masks, truth) / 4 == pytest.approx(arrays['dice'], rel=1e-5)
    assert total('bbox', a, b) / 3 == pytest.approx(arrays['l1'], rel=1e-5)
    assert total('giou', bbox_cxcywh_to_xyxy(a), bbox_cxcywh_to_xyxy(b)) / 3 == pytest.approx(
        arrays['giou_loss'], rel=1e-5)


def test_mask_losses_and_gradients_equal_full_masks(monkeypatch):
    """The plain way: masks of all queries, output by output, image by image."""
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    predictions, features, targets = random_case((3, 0, 2))
    losses, matches = GLEECriterion(num_points=80)(predictions, features, targets, ALL_ON)
    ours = sum(losses[name_of(key, term)] for key in predictions for term in ('mask', 'dice'))
    plain = 0
    for key, output in predictions.items():
        full = torch.einsum('bqd,bdhw->bqhw', output['mask_embeds'], features)
        pred = torch.cat([full[i, query] for i, (query, _) in enumerate(matches[key])])[:, None]
        truth = torch.cat([t.masks[n] for t, (_, n) in zip(targets, matches[key])])[:, None]
        candidates = recipe_rand(5, 240, 2)
        certainty = point_sample(pred.detach(), candidates)[:, 0].abs()
        chosen = certainty.argsort(1)[:, :60, None].expand(-1, -1, 2)
        points = torch.cat([candidates.gather(1, chosen), recipe_rand(5, 20, 2)], 1)
        pred, truth = point_sample(pred, points)[:, 0], point_sample(truth.float(), points)[:, 0]
        entropy = F.binary_cross_entropy_with_logits(pred, truth, reduction='none').mean(1).sum()
        p = pred.sigmoid()
        dice = 1 - (2 * (p * truth).sum(1) + 1) / (p.sum(1) + truth.sum(1) + 1)
        plain = plain + 5 * (entropy + dice.sum()) / 5
    assert ours.item() == pytest.approx(plain.item(), rel=1e-5)
    inputs = [features] + [output['mask_embeds'] for output in predictions.values()]
    torch.testing.assert_close(
        torch.autograd.grad(ours, inputs), torch.autograd.grad(plain, inputs), rtol=1e-4,
        atol=1e-6)


def test_confidence_is_a_mean_over_queries_summed_over_images():
    predictions, features, targets = random_case((1, 1))
    losses, matches = GLEECriterion(num_points=80)(predictions, features, targets, ALL_ON)
    for key in ('', 'd0'):
        truth = torch.zeros(2, 12, 1)
        for image, (query, _) in enumerate(matches[key]):
            truth[image, query] = 1
        expected = 4 * focal(predictions[key]['scores'], truth) / 12
        assert losses[name_of(key, 'conf')].item() == pytest.approx(expected.item(), rel=1e-5)
    assert 'enc.loss_conf' not in losses


@pytest.mark.parametrize('kind', list(TERMS_OF))
def test_a_kind_switched_off_zeroes_exactly_its_terms(kind, monkeypatch):
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    predictions, features, targets = random_case((2, 3))
    model = GLEECriterion(num_points=80)
    on, _ = model(predictions, features, targets, ALL_ON)
    off, _ = model(predictions, features, targets, replace(ALL_ON, **{kind: False}))
    assert list(on) == list(off)
    for name, value in off.items():
        if name.split('_')[-1] in TERMS_OF[kind]:
            assert value.item() == 0 and on[name].item() > 0
        else:
            torch.testing.assert_close(value, on[name], rtol=0, atol=0)


@pytest.mark.parametrize('counts', [(2, 3), (0, 2), (0, 0)])
@pytest.mark.parametrize('kinds', [(), ('semantic', ), ('box', ), ('mask', ), ('confidence', )])
def test_every_input_keeps_a_finite_gradient(counts, kinds):
    predictions, features, targets = random_case(counts)
    switch = LossSwitch(**dict.fromkeys(kinds, True), match_boxes=True, match_masks=True)
    losses, _ = GLEECriterion(num_points=80)(predictions, features, targets, switch)
    sum(losses.values()).backward()
    # a two-stage confidence is never supervised
    del predictions['enc']['scores']
    assert all(t.grad is not None and t.grad.isfinite().all()
               for t in leaves(predictions, features))
    assert any(t.grad.any() for t in leaves(predictions, features)) == (
        bool({'semantic', 'confidence'} & set(kinds)) or bool(kinds) and any(counts))


def test_switched_off_masks_are_never_computed(monkeypatch):
    predictions, features, targets = random_case((2, 3), masks=False)

    def forbidden(*_, **__):
        raise AssertionError('a mask was sampled')

    monkeypatch.setattr(criterion, 'point_sample', forbidden)
    monkeypatch.setattr('projects.glee.models.task_modules.matcher.point_sample', forbidden)
    losses, _ = GLEECriterion()(predictions, features, targets,
                                replace(ALL_ON, mask=False, match_masks=False))
    assert losses['loss_mask'].item() == 0


def test_boxes_beyond_the_image_are_supervised_clamped():
    predictions, features, targets = random_case((2, 3), outputs=('', ))
    switch = LossSwitch(box=True)
    inside = (predictions['']['boxes'].detach() * 2).clamp(max=1)
    losses = [
        GLEECriterion()({'': {**predictions[''], 'boxes': boxes}}, features, targets, switch)[0]
        for boxes in (inside, inside + (inside == 1) * .7)
    ]
    assert (inside == 1).any() and losses[0]['loss_bbox'] > 0
    torch.testing.assert_close(losses[1], losses[0], rtol=0, atol=0)


def test_batch_without_object_trains_all_queries_as_background():
    predictions, features, targets = random_case((0, 0))
    losses, _ = GLEECriterion(num_points=80)(predictions, features, targets, ALL_ON)
    for key, output in predictions.items():
        background = torch.zeros(2, 12, 7)
        # the number of objects is at least one
        assert losses[name_of(key, 'cls')].item() == pytest.approx(
            4 * focal(output['logits'], background).item(), rel=1e-5)
        assert not any(losses[name_of(key, t)].item() for t in ('bbox', 'giou', 'mask', 'dice'))


def test_more_objects_than_queries():
    predictions, features, targets = random_case((15, 1))
    losses, matches = GLEECriterion(num_points=80)(predictions, features, targets, ALL_ON)
    assert [len(query) for query, _ in matches['']] == [12, 1]
    assert all(value.isfinite() for value in losses.values())


def test_a_hundred_and_fifty_objects():
    losses, matches = GLEECriterion(num_points=80)(*random_case((150, ), num_queries=160), ALL_ON)
    assert sorted(matches[''][0][1].tolist()) == list(range(150))
    assert all(value.isfinite() for value in losses.values())


def test_losses_under_autocast(monkeypatch):
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    predictions, features, targets = random_case((2, 3))
    expected, _ = GLEECriterion(num_points=80)(predictions, features, targets, ALL_ON)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses, _ = GLEECriterion(num_points=80)(predictions, features, targets, ALL_ON)
    for name, value in losses.items():
        # only the product that makes the masks runs at low precision
        rel = 2e-2 if name.split('_')[-1] in ('mask', 'dice') else 1e-6
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(expected[name].item(), rel=rel), name


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_predictions_are_judged_in_float32(dtype, monkeypatch):
    """The same matches and, but for the product of the masks, the same losses as of their values in float32; logits
    that are saturated have finite losses and gradients."""
    monkeypatch.setattr(torch, 'rand', recipe_rand)
    predictions, features, targets = random_case((2, 3))
    half = {key: {name: value.detach().to(dtype).requires_grad_() for name, value in output.items()}
            for key, output in predictions.items()}
    exact = {key: {name: value.detach().float() for name, value in output.items()} for key, output in half.items()}
    expected, pairs = GLEECriterion(num_points=80)(exact, features, targets, ALL_ON)
    with torch.autocast('cpu', dtype=dtype):
        losses, matches = GLEECriterion(num_points=80)(half, features, targets, ALL_ON)
    for key, images in matches.items():
        for pair, other in zip(images, pairs[key]):
            assert torch.equal(torch.stack(pair), torch.stack(other))
    for name, value in losses.items():
        rel = 2e-2 if name.split('_')[-1] in ('mask', 'dice') else 1e-6
        assert value.dtype == torch.float32 and value.item() == pytest.approx(expected[name].item(), rel=rel), name
    for output in half.values():
        output['logits'].data.mul_(1000)
    with torch.autocast('cpu', dtype=dtype):
        losses, _ = GLEECriterion(num_points=80)(half, features, targets, ALL_ON)
    sum(losses.values()).backward()
    assert all(value.isfinite() for value in losses.values())
    assert all(value.grad is None or value.grad.isfinite().all() for value in leaves(half, features))


def test_number_of_objects_is_the_mean_over_ranks(monkeypatch):
    """Two ranks, each dividing by the mean count, average to one rank with both images."""
    switch = LossSwitch(semantic=True, box=True, match_boxes=True)
    predictions, features, targets = random_case((5, 1))
    joined, _ = GLEECriterion()(predictions, features, targets, switch)
    monkeypatch.setattr(criterion, 'reduce_mean', lambda count: torch.full_like(count, 3.))
    halves = [
        GLEECriterion()({key: {name: value[i:i + 1] for name, value in output.items()}
                         for key, output in predictions.items()}, features[i:i + 1],
                        targets[i:i + 1], switch)[0] for i in range(2)
    ]
    for name in joined:
        assert (halves[0][name] + halves[1][name]).item() / 2 == pytest.approx(
            joined[name].item(), rel=1e-5, abs=1e-7), name


@pytest.mark.parametrize('counts, local', [((0, 0), 1.), ((2, 3), 5.)])
def test_each_rank_counts_at_least_one_object(counts, local, monkeypatch):
    seen = []
    monkeypatch.setattr(criterion, 'reduce_mean', lambda count: seen.append(count.item()) or count)
    GLEECriterion(num_points=80)(*random_case(counts), ALL_ON)
    assert seen == [local]


def denoising_case(counts=(3, 1)):
    """Generator output and random predictions of two denoising outputs."""
    predictions, features, targets = random_case(counts)
    queries = DenoisingGenerator(dict(one=7), embed_dims=8, num_queries_dn=10)(
        targets, 7, 'one', 12)
    noised = random_case(counts, num_queries=queries.content.shape[1], outputs=('dn', 'dn.d0'))[0]
    noised = {key: {name: output[name] for name in ('logits', 'boxes')}
              for key, output in noised.items()}
    return (predictions, features, targets), noised, queries


def test_denoising_losses_by_hand():
    case, noised, queries = denoising_case()
    losses, _ = GLEECriterion(num_points=80)(*case, ALL_ON, noised, queries)
    # groups of three slots; three groups fit into ten queries; four objects in the batch
    assert (queries.num_groups, queries.group_size) == (3, 3)
    for key, output in noised.items():
        names, l1 = torch.zeros(2, 9, 7), 0
        for image, target in enumerate(case[2]):
            for group in range(3):
                for index, (label, box) in enumerate(zip(target.labels, target.boxes)):
                    slot = 3 * group + index
                    names[image, slot, label] = 1
                    l1 += (output['boxes'][image, slot] - box).abs().sum().item()
        assert losses[f'{key}.loss_cls'].item() == pytest.approx(
            4 * focal(output['logits'], names).item() / 12, rel=1e-5)
        assert losses[f'{key}.loss_bbox'].item() == pytest.approx(5 * l1 / 12, rel=1e-5)
        assert {name for name in losses if name.startswith(f'{key}.loss')} == {
            f'{key}.loss_{term}' for term in ('cls', 'bbox', 'giou')}


def test_denoising_of_perfect_boxes_costs_nothing():
    case, noised, queries = denoising_case()
    for output in noised.values():
        output['boxes'] = torch.zeros_like(output['boxes'])
        for image, (slots, objects) in enumerate(queries.matches):
            output['boxes'][image, slots] = case[2][image].boxes[objects]
    losses, _ = GLEECriterion(num_points=80)(*case, ALL_ON, noised, queries)
    assert losses['dn.loss_bbox'].item() == 0
    assert losses['dn.d0.loss_giou'].item() == pytest.approx(0, abs=1e-6)


def test_coarse_boxes_guide_but_are_not_regressed_to():
    case, noised, queries = denoising_case()
    switch = LossSwitch(semantic=True, match_boxes=True)
    losses, _ = GLEECriterion(num_points=80)(*case, switch, noised, queries)
    zero = {name for name, value in losses.items() if value.item() == 0}
    assert zero == {name for name in losses if not name.endswith('cls')}
    # moving a predicted box onto the object changes who is matched
    moved = {key: {**output, 'boxes': output['boxes'].detach().clone()}
             for key, output in case[0].items()}
    moved['']['boxes'][0, 7] = case[2][0].boxes[2]
    moved['']['logits'] = torch.zeros(2, 12, 7)
    query, matched = GLEECriterion()(moved, *case[1:], switch)[1][''][0]
    assert (7, 2) in list(zip(query.tolist(), matched.tolist()))


def test_weights_and_points_come_from_the_config():
    model = MODELS.build(dict(
        type='GLEECriterion', num_points=64, loss_bbox=dict(type='L1Loss', loss_weight=10.)))
    case = random_case((2, 3), masks=False)
    switch = LossSwitch(semantic=True, box=True, match_boxes=True)
    assert model.matcher.num_points == 64
    assert model(*case, switch)[0]['loss_bbox'].item() == pytest.approx(
        2 * GLEECriterion()(*case, switch)[0]['loss_bbox'].item(), rel=1e-6)


def test_errors_name_what_is_wrong():
    predictions, features, targets = random_case((2, 1))
    targets[1] = InstanceData(labels=torch.tensor([0]), boxes=torch.full((1, 4), .5))
    with pytest.raises(ValueError, match=r"targets\[1\] has no 'masks'"):
        GLEECriterion()(predictions, features, targets, ALL_ON)
