"""What is trained, what is not, and that it learns."""
import numpy as np
import pytest
import torch
from toy_llm import LLAVA, PICTURES, QWEN, picture_of, sample_of, toy_segmentor

from projects.glee.llm.losses import mask_bce, mask_dice, text_loss


def step(model, inputs, samples, lr=1e-2):
    """One optimiser step; the losses."""
    model.train()
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr, weight_decay=0.)
    losses = model(inputs, samples, 'loss')
    sum(losses.values()).backward()
    optimizer.step()
    model.zero_grad()
    return {key: float(value) for key, value in losses.items()}


def values_of(model):
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def test_losses_are_the_formulas():
    logits, target = torch.tensor([[2., -1.], [0., 3.]]), torch.tensor([[1., 0.], [0., 1.]])
    p = 1 / (1 + np.exp(-logits.numpy()))
    bce = -np.mean([np.log(p[0, 0]), np.log(1 - p[0, 1]), np.log(1 - p[1, 0]), np.log(p[1, 1])])
    dice = 1 - (2 * (p[0, 0] + p[1, 1]) / 1000 + 1e-6) / ((p.sum() + 2) / 1000 + 1e-6)
    assert float(mask_bce([logits], [target])) == pytest.approx(bce, abs=1e-6)
    assert float(mask_dice([logits], [target])) == pytest.approx(dice, abs=1e-6)
    # masks of two sizes count alike, whatever their number of pixels
    large = torch.full((8, 8), 4.), torch.zeros(8, 8)
    assert float(mask_bce([logits, large[0]], [target, large[1]])) == pytest.approx((bce + np.log1p(np.exp(4))) / 2,
                                                                                   abs=1e-5)
    scores = torch.tensor([[1., 0., 0.], [0., 2., 0.]])
    assert float(text_loss(scores, torch.tensor([-100, 1]))) == pytest.approx(np.log(np.e**2 + 2) - 2, abs=1e-6)
    assert float(text_loss(scores, torch.tensor([-100, -100]))) == 0


def test_a_loss_is_the_sum_of_its_parts():
    model, samples = toy_segmentor().eval(), [sample_of(PICTURES[0], 'red', 'blue'), sample_of(PICTURES[1], 'white')]
    inputs = [[picture] for picture in PICTURES]
    with torch.no_grad():
        losses = model(inputs, samples, 'loss')
        logits = [one for masks in model(inputs, samples) for one in masks]
    targets = [torch.from_numpy(mask) for sample in samples for mask in sample.gt_masks]
    assert len(logits) == 3
    assert float(losses['loss_bce']) == pytest.approx(2 * float(mask_bce(logits, targets)), rel=1e-5)
    assert float(losses['loss_dice']) == pytest.approx(0.5 * float(mask_dice(logits, targets)), rel=1e-5)


@pytest.mark.parametrize('family', [LLAVA, QWEN], ids=['llava', 'qwen'])
def test_lora_and_rows_are_trained_and_nothing_else(family):
    model = toy_segmentor(dict(family, lora=dict(r=2, dropout=0.)))
    names = {name for name, value in model.named_parameters() if value.requires_grad}
    layers = [name for name in names if 'lora_' in name]
    assert layers and all('language_model.layers' in name and ('q_proj' in name or 'v_proj' in name) for name in layers)
    rows = [name for name in names if 'token_adapter' in name or 'trainable_tokens' in name]
    assert len(rows) == 2  # of the input and of the output embeddings
    rest = names - set(layers) - set(rows)
    assert all(name.startswith(('reader.object_projector', 'seg_projector')) for name in rest)
    before, vocabulary = values_of(model), torch.arange(len(model.language_model.tokenizer))
    table = model.language_model.embed(vocabulary).detach().clone()
    out = model.language_model.core.get_output_embeddings()
    logits = out(torch.eye(64)).detach().clone()
    for _ in range(2):  # the second half of LoRA starts at zero
        step(model, [[PICTURES[0]]], [sample_of(PICTURES[0], 'red')])
    after = values_of(model)
    still = {'reader.object_projector.null'}  # hidden by the zero weights before it or not asked for
    assert {name for name in before if not torch.equal(before[name], after[name])} >= names - still - {
        name for name in names if 'lora_A' in name}
    assert all(torch.equal(before[name], after[name]) for name in before if name not in names)
    ours = torch.tensor([model.language_model.seg_id, model.language_model.object_id])
    changed = (model.language_model.embed(vocabulary) != table).any(1).nonzero()[:, 0]
    assert set(changed.tolist()) <= {model.language_model.seg_id, model.language_model.object_id,
                                     model.language_model.score_id} and ours[0] in changed
    changed = (out(torch.eye(64)) != logits).any(0).nonzero()[:, 0].tolist()
    assert set(changed) <= {model.language_model.seg_id, model.language_model.score_id} and changed


def test_glee_and_tower_stay():
    model = toy_segmentor()
    tower = model.language_model.tower(model.language_model.core)
    before = [value.clone() for value in tower.parameters()], model.glee.codes.clone()
    step(model, [[PICTURES[0]]], [sample_of(PICTURES[0], 'red')])
    assert all(torch.equal(one, other) for one, other in zip(before[0], tower.parameters()))
    assert all(value.grad is None and not value.requires_grad for value in tower.parameters())
    assert torch.equal(before[1], model.glee.codes) and not tower.training
    assert not [name for name in model.state_dict() if 'glee' in name]


def test_it_learns_four_pictures_and_answers_two_turns():
    pictures = [*PICTURES, picture_of(('white', 4, 16), ('red', 20, 4)), picture_of(('blue', 32, 4), ('green', 4, 4))]
    pairs = [('red', 'blue'), ('white', 'green'), ('red', 'white'), ('green', 'blue')]
    samples = [sample_of(picture, *pair) for picture, pair in zip(pictures, pairs)]
    inputs = [[picture] for picture in pictures]
    model = toy_segmentor()
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 3e-3, weight_decay=0.)
    model.train()
    for _ in range(100):
        loss = sum(model(inputs, samples, 'loss').values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    for picture, sample, pair in zip(pictures, samples, pairs):
        found = model(  # the second turn after the first one's answer
            [[picture]], [sample], 'predict')[0]
        truth = sample.gt_masks[1]
        mask = found.pred_instances.masks[0].numpy()
        assert found.answer == 'Sure, it is [SEG].', pair
        assert (mask & truth).sum() / (mask | truth).sum() > 0.9
        assert found.pred_instances.scores[0] > 0.9
        ys, xs = truth.nonzero()
        assert found.pred_instances.bboxes[0].tolist() == pytest.approx(
            [xs[0], ys[0], xs[-1] + 1, ys[-1] + 1], abs=1)


def test_two_seg_are_two_masks_and_none_is_none():
    model = toy_segmentor().eval()
    sample = sample_of(PICTURES[0], 'red', answer='It is [SEG] and [SEG] .')
    sample.set_metainfo(dict(seg_pictures=[0, 0]))
    with torch.no_grad():
        assert [one.shape for one in model([[PICTURES[0]]], [sample])[0]] == [(32, 48)] * 2
        said = sample_of(PICTURES[0], 'red', answer='It is')
        said.set_metainfo(dict(seg_pictures=[], gt_masks=[]))
        assert set(model([[PICTURES[0]]], [said], 'loss')) == {'loss_text'}
        found = model.finish([], model.see([PICTURES[0]]))
    assert found.text == '' and found.logits == [] and found.scores == [] and found.embeds.shape == (0, 16)
