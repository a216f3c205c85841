"""A fine-tune with its start: each name is answered by the weights that know it, exactly as they would alone."""
import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mini_model import build, category_sample, expression_sample, images
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.structures import InstanceData
from paths import ROOT

from projects.glee.apis import InteractiveSession, init_model
from projects.glee.engine.checkpoints.check_fit import check_fit
from projects.glee.models.extensions.fine_tuning.question_shares import join_found

MODES = dict(full={}, head=dict(frozen=['backbone', 'neck']), lora=dict(rank=4))
LEARNED, OTHERS = ('Red  Cell', 'platelet'), ('circle', 'ring')


def own_config(**options):
    """The model of the recipe of fine-tunes, small."""
    cfg = Config.fromfile(ROOT / 'configs/glee/finetune/glee_mini_finetune.py').model
    cfg.panoptic_head.update(num_queries=12, denoising=None)
    cfg.start_side = None
    cfg.update(options)
    return cfg


def plain_config():
    """The same as ``GLEE``, which is what the start and a fine-tune without it are."""
    cfg = own_config(type='GLEE')
    del cfg.start_side
    return dict(cfg)


@pytest.fixture(scope='module')
def start():
    """The weights of a start."""
    return build(plain_config()).state_dict()


def fine_tuned(start, steps=2, **options):
    """A model that was trained from the start for some steps, in eval mode."""
    model = MODELS.build(own_config(**options))
    model.load_state_dict(start)
    model.train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.02)
    for step in range(steps):
        losses = model.loss(images(1, step), [category_sample(LEARNED, seed=step, label_table=None)])
        total, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        optimizer.step()
    return model.eval()


@torch.no_grad()
def ask(model, *questions, **options):
    """Predictions of samples, the n-th of picture n."""
    samples = [category_sample(question) if isinstance(question, tuple) else copy.deepcopy(question)
               for question in questions]
    return [sample.pred_instances for sample in model.eval().predict(images(len(samples)), samples, **options)]


def plain(weights):
    model = MODELS.build(plain_config())
    model.load_state_dict(weights)
    return model


def same(one, other):
    return all(torch.equal(one[key], other[key]) for key in ('bboxes', 'scores', 'labels', 'masks'))


@pytest.mark.parametrize('mode', MODES)
def test_names_go_to_the_weights_that_know_them(start, mode):
    model = fine_tuned(start, **MODES[mode])
    before, others = plain(start), category_sample(OTHERS)
    assert same(*ask(model, OTHERS), *ask(before, OTHERS))
    after, = ask(model, ('red cell', 'PLATELET '))
    assert not torch.equal(after.scores, ask(before, ('red cell', 'PLATELET '))[0].scores)
    model.answers = 'fine_tuned'
    assert same(after, *ask(model, ('red cell', 'PLATELET '))) and not same(*ask(model, others), *ask(before, others))
    model.answers = 'start'
    assert same(*ask(model, LEARNED), *ask(before, LEARNED))


def test_the_fine_tuned_weights_are_those_of_a_plain_fine_tune(start):
    """The same steps of ``GLEE``, with nothing kept, lead to the same weights and answers."""
    kept = fine_tuned(start)
    torch.manual_seed(0)
    kept = fine_tuned(start)
    torch.manual_seed(0)
    alone = fine_tuned(start, keep_start=False)
    weights = {key: value for key, value in kept.state_dict().items() if not key.startswith('start.')}
    assert weights.keys() == alone.state_dict().keys()
    assert all(torch.equal(value, alone.state_dict()[key]) for key, value in weights.items())
    weights.pop('_extra_state')
    assert same(*ask(kept, LEARNED), *ask(plain(weights), LEARNED))
    assert not same(*ask(alone, OTHERS), *ask(kept, OTHERS))


def test_a_mixed_vocabulary_has_the_answers_of_both(start):
    model = fine_tuned(start)
    names = ('circle', 'platelet', 'ring', 'red cell')
    whole, = ask(model, names, max_per_img=1000)
    for part, positions in ((('circle', 'ring'), (0, 2)), (('platelet', 'red cell'), (1, 3))):
        alone, = ask(model, part, max_per_img=1000)
        mine = whole[torch.isin(whole.labels, torch.tensor(positions))]
        assert torch.equal(mine.scores, alone.scores) and torch.equal(mine.bboxes, alone.bboxes)
        assert torch.equal(mine.masks, alone.masks)
        assert torch.equal(mine.labels, torch.tensor(positions)[alone.labels])
    assert len(whole) == 48 and bool((whole.scores.diff() <= 0).all())
    best, = ask(model, names, max_per_img=5)
    parts = torch.cat([ask(model, part, max_per_img=5)[0].scores for part in (LEARNED[::-1], ('circle', 'ring'))])
    assert torch.equal(best.scores, parts.sort(descending=True).values[:5])


def test_pictures_of_a_batch_go_their_own_ways(start):
    model, mixed = fine_tuned(start), ('platelet', 'circle')
    together = ask(model, OTHERS, mixed, LEARNED, mixed)
    for row, question in enumerate((OTHERS, mixed, LEARNED, mixed)):
        sample = category_sample(question)
        with torch.no_grad():
            alone = model.predict(images(4)[row:row + 1], [sample])[0].pred_instances
        assert torch.allclose(together[row].scores, alone.scores, atol=1e-5)
        assert torch.equal(together[row].labels, alone.labels)


def test_sentences_prompts_and_stuff(start):
    model, sentence = fine_tuned(start), expression_sample('the red cell')
    before = plain(start)
    assert same(*ask(model, sentence), *ask(before, sentence))
    assert model.answering('prompt') is model.start and before.answering('prompt') is before
    stuff = category_sample(('platelet', 'circle'), stuff_text=('sky', ))
    assert same(*ask(model, stuff), *ask(before, stuff))
    known = category_sample(('platelet', ), stuff_text=('red cell', ))
    assert not same(*ask(model, known), *ask(before, known))
    model.train()
    model.loss(images(1), [expression_sample('the red cell')])
    assert model.answering('expression') is model and model.answering('prompt') is model.start
    assert 'the red cell' not in model.learned_names


def test_a_session_asks_the_weights_that_know_a_name(start):
    """Clicks go to the start; names and maps are those of sessions of ``GLEE`` with either weights."""
    model = fine_tuned(start)
    learned = {key: value for key, value in model.state_dict().items() if key in start}
    picture = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    both, before, after = (InteractiveSession(detector, scale=(96, 64)) for detector in (
        model, plain(start), plain(learned)))
    for session in (both, before, after):
        session.set_image(picture)
    for names, alone in ((LEARNED, after), (OTHERS, before)):
        found, wanted = (session.detect(names, score_thr=0.) for session in (both, alone))
        assert len(found) and np.array_equal(found.scores, wanted.scores) and np.array_equal(found.masks, wanted.masks)
        assert str(both.panoptic(names)) == str(alone.panoptic(names))
    mixed = both.detect((LEARNED[1], OTHERS[0]), score_thr=0.)
    assert set(mixed.names) <= {LEARNED[1], OTHERS[0]} and len(mixed)
    assert str(both.panoptic((LEARNED[1], OTHERS[0]))) == str(before.panoptic((LEARNED[1], OTHERS[0])))
    click = dict(points=[(40, 30)])
    assert both.add(**click).score == before.add(**click).score


def test_a_session_labels_with_the_weights_that_know_a_name(start):
    """Names that were not learned as a session of the start does; learned ones by the fine-tuned query on the mask."""
    model = fine_tuned(start)
    picture = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    both, before = (InteractiveSession(detector, vocabulary, scale=(96, 64)) for detector, vocabulary in (
        (model, LEARNED), (plain(start), OTHERS)))
    for session in (both, before):
        session.set_image(picture)
    clicked, wanted = (session.add(points=[(40, 30)]) for session in (both, before))
    for target in (0, wanted.mask):
        assert both.label(target, OTHERS, 9) == before.label(target, top_k=9)
        mixed = both.label(target, (LEARNED[0], OTHERS[0]), 2, min_iou=0.)
        alone = both.label(target, LEARNED[:1], min_iou=0.) + before.label(target, OTHERS[:1], min_iou=0.)
        assert dict(mixed) == pytest.approx(dict(alone))
    # the query of the fine-tuned weights, found once more by hand
    image = both.image
    segments = model.panoptic_head.predict_segments(model.extract_feat(image.batch), LEARNED, ())
    inside = clicked.logits > 0
    fits = [float((mask & inside).sum() / (mask | inside).sum()) * float(probs.max())
            for mask, probs in zip(segments.masks > 0, segments.probs)]
    best = segments.probs[int(np.argmax(fits))]
    assert dict(both.label(0, top_k=9, min_iou=0.)) == pytest.approx(dict(zip(LEARNED, best.tolist())))
    assert both.label(0, min_iou=1.01) == [] and len(both.label(0, OTHERS, min_iou=1.01)) == 1


@pytest.mark.parametrize('mode', MODES)
def test_a_checkpoint_brings_everything_back(start, mode, tmp_path):
    model, config = fine_tuned(start, **MODES[mode]), own_config(**MODES[mode])
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'tuned.pth')
    check_fit(Config(dict(model=config)).model, str(tmp_path / 'tuned.pth'))
    again = init_model(Config(dict(model=config)), str(tmp_path / 'tuned.pth'))
    assert again.learned_names == {'red cell', 'platelet'}
    assert same(*ask(again, LEARNED), *ask(model, LEARNED)) and same(*ask(again, OTHERS), *ask(model, OTHERS))
    shared = [key for key in start if f'start.{key}' not in model.state_dict()]
    assert any('text_model' in key for key in shared) and (
        all(key in shared for key in start if key.startswith('backbone')) == (mode == 'head'))
    without = init_model(Config(dict(model=dict(config, keep_start=False))), str(tmp_path / 'tuned.pth'))
    assert without.start is None and same(*ask(without, LEARNED), *ask(model, LEARNED))
    assert not same(*ask(without, OTHERS), *ask(model, OTHERS))


def test_only_thin_matrices_and_vectors_of_lora_train(start):
    model = fine_tuned(start, rank=4)
    tensors = {key: value for key, value in model.state_dict().items() if key.endswith('.original')}
    assert tensors and all(torch.equal(value, start[key.replace('parametrizations.', '').removesuffix('.original')])
                           for key, value in tensors.items())
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert all(p.ndim == 1 or 4 in p.shape or name.endswith('align_bias') or p.numel() < 1024
               for name, p in trained.items())
    full = sum(p.numel() for p in fine_tuned(start, 0).parameters() if p.requires_grad)
    assert sum(p.numel() for p in trained.values()) < 0.3 * full
    layer = model.panoptic_head.memory_proj
    change = layer.parametrizations.weight[0]
    assert torch.equal(layer.weight, layer.parametrizations.weight.original + change.up @ change.down)
    assert change.up.abs().sum() > 0


def test_frozen_parts_stay_in_eval_mode(start):
    model = fine_tuned(start, frozen=['backbone', 'neck']).train()
    assert not model.backbone.training and model.panoptic_head.training and not model.start.training
    assert model.start.backbone is model.backbone


def test_half_precision_moves_the_start(start):
    model = fine_tuned(start).to(torch.float64)
    assert {p.dtype for p in model.start.parameters()} == {torch.float64}
    assert model.start.panoptic_head.text_encoder.text_model.final_layer_norm.weight is (
        model.panoptic_head.text_encoder.text_model.final_layer_norm.weight)


def test_a_start_of_another_mode(start):
    """What the checkpoint holds once is of the start too; what it holds twice is refused where one is expected."""
    model = fine_tuned(start)
    config = own_config()
    config.panoptic_head.text_encoder.mode = 'unfrozen'
    other = MODELS.build(config)
    other.load_state_dict(model.state_dict())
    assert same(*ask(other, LEARNED), *ask(model, LEARNED)) and same(*ask(other, OTHERS), *ask(model, OTHERS))
    with pytest.raises(RuntimeError, match=r'(?s)Unexpected key.*"start\.panoptic_head\.text_encoder'):
        model.load_state_dict(other.state_dict())
    weights = model.state_dict()
    weights['start.panoptic_head.memory_proj.weight'] = torch.zeros(1)
    with pytest.raises(RuntimeError, match=r'size mismatch for start\.panoptic_head\.memory_proj\.weight: \(1,\)'):
        model.load_state_dict(weights)
    with pytest.raises(ValueError, match="answers='mine' is unknown"):
        MODELS.build(own_config(answers='mine'))


def test_the_start_sees_pictures_of_its_own_size(start):
    """Two pictures of 60 x 90 px as 30 x 45 for the start: what it answers to them, in pixels of the original."""
    model, before = fine_tuned(start, start_side=30), plain(start).eval()
    small = F.interpolate(images(2)[:, :, :60, :90], (30, 45), mode='bilinear', antialias=True)
    samples = [category_sample(OTHERS, img_shape=(30, 45), batch_input_shape=(32, 64)) for _ in range(2)]
    asked = [category_sample(OTHERS), category_sample((*LEARNED, *OTHERS))]
    with torch.no_grad():
        wanted = [sample.pred_instances for sample in before.predict(F.pad(small, (0, 19, 0, 2)), samples)]
        found = [sample.pred_instances for sample in model.predict(images(2), asked)]
    torch.testing.assert_close(found[0].scores, wanted[0].scores)
    torch.testing.assert_close(found[0].bboxes, wanted[0].bboxes)
    assert (found[0].masks == wanted[0].masks).float().mean() > 0.999
    assert asked[0].img_shape == (60, 90) and asked[0].batch_input_shape == (64, 96)
    from_start = found[1][found[1].labels > 1]
    assert len(from_start)
    torch.testing.assert_close(from_start.bboxes, wanted[1].bboxes[:len(from_start)])
    model.start_side = None
    assert not torch.allclose(ask(model, OTHERS)[0].scores, wanted[0].scores)
    assert same(*ask(model, OTHERS), *ask(before, OTHERS))
    learned = ask(model, LEARNED)
    model.start_side = 30
    assert same(*ask(model, LEARNED), *learned)


def test_the_best_of_both_by_hand():
    def found(scores, labels):
        return InstanceData(scores=torch.tensor(scores), labels=torch.tensor(labels),
                            bboxes=torch.zeros(len(scores), 4))
    joined = join_found([found([0.9, 0.2], [1, 0]), found([0.5, 0.4, 0.1], [0, 0, 1])], [[0, 3], [1, 2]], 4)
    assert joined.scores.tolist() == pytest.approx([0.9, 0.5, 0.4, 0.2])
    assert joined.labels.tolist() == [3, 1, 1, 0]
    masked = found([0.7], [0])
    masked.masks = torch.ones(1, 2, 2, dtype=torch.bool)
    joined = join_found([found([0.9], [0]), masked], [[1], [0]], 4)
    assert joined.labels.tolist() == [1, 0] and sorted(joined.keys()) == ['bboxes', 'labels', 'scores']
