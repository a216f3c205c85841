"""Which of GLEE's objects a [SEG] means."""
import numpy as np
import pytest
import torch
from toy_llm import CHANNELS, PICTURES, sample_of, toy_segmentor

from projects.glee.llm.object_encoder import PictureObjects
from projects.glee.llm.object_readout import ObjectReadout, objects_meant

WEIGHTS = dict(text=1.0, bce=2.0, dice=0.5, objects=1.0)


def objects_of(*masks, valid=(1., 1.), shape=(16, 16)):
    """Objects whose queries are unit vectors and whose masks (h, w) are given."""
    masks = torch.tensor(np.array(masks)).float()
    count = len(masks)
    return PictureObjects(
        queries=torch.eye(count), boxes=torch.zeros(count, 4), scores=torch.ones(count),
        labels=torch.zeros(count, dtype=torch.long), mask_embeds=10 * torch.eye(count), pixels=2 * masks - 1,
        valid=valid, shape=shape)


def squares(*columns):
    """Masks (4, 4) of the first rows, so many columns wide each."""
    masks = np.zeros((len(columns), 4, 4), bool)
    for mask, width in zip(masks, columns):
        mask[:2, :width] = True
    return masks


def test_objects_meant_are_those_of_a_high_overlap():
    found = objects_of(*squares(4, 2, 1))
    target = torch.zeros(16, 16, dtype=torch.bool)
    target[:8, :8] = True  # two columns of four pixels: IoU 1/2, 1 and 1/2
    assert objects_meant(torch.stack([target, ~target]), found).tolist() == [[False, True, False], [False] * 3]
    assert objects_meant(target[None], found, least=0.4).tolist() == [[True, True, True]]
    # the lower half of the input is padding: the picture is half as high, and what lies there does not count
    found = objects_of(*squares(4, 2), valid=(0.5, 1.), shape=(8, 16))
    assert objects_meant(target[None, :8], found).tolist() == [[False, True]]
    assert not objects_meant(torch.zeros(1, 8, 16, dtype=torch.bool), found).any()


def test_masks_are_the_union_of_the_selected_objects():
    found = objects_of(*squares(3, 1), np.eye(4, dtype=bool))
    readout = ObjectReadout(3)
    with torch.no_grad():
        readout.project.weight.copy_(torch.eye(3))
        readout.project.bias.zero_()
        embeds = torch.tensor([[0., 1., 1.], [-1., 2., -1.], [-1., -1., -1.]])
        assert torch.equal(readout(embeds, found), embeds)
        masks = readout.masks(embeds, found) > 0
    assert torch.equal(masks[0], torch.from_numpy(squares(1)[0] | np.eye(4, dtype=bool)))
    assert torch.equal(masks[1], torch.from_numpy(squares(1)[0])) and not masks[2].any()


def test_pointing_adds_the_masks_of_what_is_chosen():
    found, readout = objects_of(*squares(3, 1)), ObjectReadout(2)
    with torch.no_grad():
        readout.project.weight.copy_(torch.eye(2))
        readout.project.bias.zero_()
        embeds = torch.tensor([[np.log(3.), 0.], [50., 0.]], dtype=torch.float)
        pointed = readout.pointed(embeds, found)
    torch.testing.assert_close(pointed, embeds + torch.tensor([[7.5, 2.5], [10., 0.]]))


def test_only_objects_that_are_shown_can_be_pointed_at():
    sample = sample_of(PICTURES[0], 'red')
    for shown, matters in ((2, True), (1, False), (0, False)):
        model = toy_segmentor(loss_weights=WEIGHTS, readout='pointed', num_objects=shown).eval()
        encode = model.glee.encode
        with torch.no_grad():
            before = model([[PICTURES[0]]], [sample])[0][0]
            assert ('loss_objects' in model([[PICTURES[0]]], [sample], 'loss')) == (shown > 0)
            model.glee.cache.clear()
            model.glee.encode = lambda *asked: (found := encode(*asked))._replace(
                mask_embeds=found.mask_embeds * torch.tensor([[1.], [-1.]]))  # another second object
            assert torch.equal(model([[PICTURES[0]]], [sample])[0][0], before) != matters


def test_its_loss_is_the_entropy_of_each_object_and_of_the_choice():
    model, sample = toy_segmentor(loss_weights=WEIGHTS).eval(), sample_of(PICTURES[0], 'red', 'blue')
    with torch.no_grad():
        losses = model([[PICTURES[0]]], [sample], 'loss')
        found = model.see([PICTURES[0]]).objects[0]
        one, = model._taught([[PICTURES[0]]], [sample])
        logits = model.object_readout(one.embeds, found).double().numpy()
    expected = 0.
    for row, truth in zip(logits, sample.gt_masks):
        small = truth[::4, ::4]
        meant = [(mask & small).sum() / (mask | small).sum() > 0.5 for mask in (found.masks() > 0).numpy()]
        sure = 1 / (1 + np.exp(-row))
        expected -= np.mean([np.log(one if right else 1 - one) for one, right in zip(sure, meant)])
        if any(meant):
            expected -= np.log(np.exp(row)[meant].sum() / np.exp(row).sum())
    assert float(losses['loss_objects']) == pytest.approx(expected / 2, rel=1e-4)
    assert set(losses) == {'loss_text', 'loss_bce', 'loss_dice', 'loss_objects'}


def test_a_model_of_objects_learns_them_and_answers_with_them():
    model = toy_segmentor(loss_weights=WEIGHTS, readout='objects')
    model.glee.codes = torch.eye(CHANNELS)[:5]  # masks without an error
    samples = [sample_of(PICTURES[0], 'red', 'blue'), sample_of(PICTURES[1], 'white')]
    inputs = [[picture] for picture in PICTURES]
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 3e-3, weight_decay=0.)
    for _ in range(60):
        losses = model.train()(inputs, samples, 'loss')
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert set(losses) == {'loss_text', 'loss_objects'}
    for picture, sample in zip(PICTURES, samples):
        found = model.eval()([[picture]], [sample], 'predict')[0]
        mask, truth = found.pred_instances.masks[0].numpy(), sample.gt_masks[-1]
        assert (mask & truth).sum() / (mask | truth).sum() > 0.9


def test_tokens_carry_masks_only_where_it_is_asked_for():
    for with_masks in (False, True):
        model = toy_segmentor(object_masks=with_masks).eval()
        seen, sample = model.see([PICTURES[0]]), sample_of(PICTURES[0], 'red')
        other = seen._replace(objects=tuple(one._replace(mask_embeds=-one.mask_embeds) for one in seen.objects))
        with torch.no_grad():
            states = [model.reader([model.read(sample.turns, one)[1]])[0] for one in (seen, other)]
        assert torch.equal(*states) != with_masks


def test_a_readout_without_its_loss_is_refused():
    for settings in (dict(readout='objects'), dict(readout='pointed'), dict(readout='boxes', loss_weights=WEIGHTS)):
        with pytest.raises(ValueError, match='readout=.* must be'):
            toy_segmentor(**settings)
    with pytest.raises(ValueError, match='needs objects that are shown'):
        toy_segmentor(readout='objects', loss_weights=WEIGHTS, num_objects=0)
