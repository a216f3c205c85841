"""Rounds that are decoded from pixels encoded earlier: equal to the exact way where it reads the same, and how many
passes they take."""
import gc
import weakref
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import Config
from sessions import close, picture

from projects.glee.apis import InteractiveSession, VideoSession

BOX, OUTSIDE = dict(boxes=[(10, 10, 50, 40)]), dict(points=[(80, 50, -1)])
CLICKS = [dict(points=[(x, y)]) for x, y in ((30, 20), (60, 40), (12, 50))]


@pytest.fixture(scope='module')
def glee():
    """A model whose templates, memory, negative clicks and refined mask features all count, as if it were trained."""
    config = Config.fromfile('configs/glee/_base_/models/glee_mini.py').model
    config.panoptic_head.prompter.update(
        template_size=64, negative_tokens=True, memory=dict(type='MemoryPromptEncoder', num_tokens=4, num_heads=4),
        dense=dict(type='MaskFeatureRefiner', hidden_dims=8))
    config.panoptic_head.composer.update(pos_weight=0., reference_as='tokens')
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    model.panoptic_head.pixel_decoder.early_fusion.gamma_visual.data.fill_(10.)
    model.panoptic_head.prompter.memory.gate.data.fill_(0.5)
    torch.nn.init.normal_(model.panoptic_head.prompter.dense.change.weight, std=0.3)
    return model


def opened(glee, **options):
    session = InteractiveSession(glee, scale=(96, 64), **options)
    session.set_image(picture())
    return session


@contextmanager
def passes(glee):
    """Images that pass the backbone, prompts that pass the pixel decoder, objects that pass the decoder."""
    counts, head = Counter(), glee.panoptic_head
    hooks = [glee.backbone.register_forward_hook(lambda _, inputs, __: counts.update(backbone=len(inputs[0]))),
             head.pixel_decoder.register_forward_hook(lambda _, inputs, __: counts.update(encoder=len(inputs[1]))),
             head.decoder.register_forward_hook(lambda _, inputs, __: counts.update(decoder=len(inputs[0])))]
    try:
        yield counts
    finally:
        for hook in hooks:
            hook.remove()


def test_a_later_round_is_exact_where_its_template_is_the_first(glee):
    """A negative click outside of a box leaves the template as it is.

    What is kept are mask features as they were encoded, not as the prompter refined them for the mask before.
    """
    exact, fast, before = opened(glee), opened(glee, refine='decoder'), np.eye(60, 90, dtype=bool)
    first, other = exact.add(prev=before, **BOX), fast.add(prev=before, **BOX)
    close(other, first)
    second = exact.refine(first.id, **OUTSIDE)
    with passes(glee) as counts:
        found = fast.refine(other.id, **OUTSIDE)
    assert counts == dict(decoder=1)
    close(found, second)
    assert not torch.allclose(second.logits, first.logits, atol=0.1)  # the round changes something
    for point in ((80, 55, -1), (5, 55, -1), (85, 5, -1)):
        close(fast.refine(other.id, points=[point]), exact.refine(first.id, points=[point]))


def test_a_later_round_with_another_template_is_a_guess(glee):
    exact, fast = opened(glee), opened(glee, refine='decoder')
    found = [session.refine(session.add(**CLICKS[0]).id, **CLICKS[1]) for session in (exact, fast)]
    assert not torch.allclose(found[0].logits, found[1].logits, atol=1e-3)
    assert found[1].round == 2 and fast.last_round(0).prompt == exact.last_round(0).prompt


def test_several_objects_are_refined_together_as_alone(glee):
    session, alone = opened(glee, refine='decoder'), opened(glee, refine='decoder')
    ids = [one.id for one in session.add_many(CLICKS)]
    later = dict(zip(ids, [dict(points=[(70, 30)]), dict(points=[(20, 50, -1)]), dict(text='a ring')]))
    with passes(glee) as counts:
        together = session.refine_many(later)
    assert counts == dict(backbone=1, encoder=1, decoder=3)  # the new text is read by the pixels, and by a template
    for prompt, found in zip(CLICKS, together):
        close(alone.refine(alone.add(**prompt).id, **later[found.id]), found)
    with passes(glee) as counts:
        session.refine_many({number: dict(points=[(40, 40)]) for number in ids})
    assert counts == dict(decoder=3)


@pytest.fixture
def no_templates(glee, monkeypatch):
    """Early fusion reads the names alone, also in the exact way."""
    prompter = glee.panoptic_head.prompter
    monkeypatch.setattr(prompter, 'template_tokens', lambda feats: torch.zeros(
        len(feats[0]), 0, glee.panoptic_head.pixel_decoder.level_embed.shape[1]))


def test_shared_pixels_are_exact_where_they_read_the_same(glee, no_templates):
    exact, fast = opened(glee), opened(glee, first='shared')
    with passes(glee) as counts:
        found = fast.add_many(CLICKS) + [fast.add(**BOX)]
    assert counts == dict(encoder=1, decoder=4)
    for one, other in zip(found, exact.add_many(CLICKS) + [exact.add(**BOX)]):
        close(one, other)
    assert fast.label(found[0].mask, ['star', 'ring']) == [
        (name, pytest.approx(score, abs=1e-4)) for name, score in exact.label(found[0].mask, ['star', 'ring'])]
    with passes(glee) as counts:  # later rounds are exact
        again = fast.refine(0, **OUTSIDE)
    assert counts == dict(backbone=1, encoder=1, decoder=1)
    close(again, exact.refine(0, **OUTSIDE))


def test_shared_pixels_of_all_rounds(glee):
    """One pass of the encoder for an image, whatever is clicked; none of a template."""
    session = opened(glee, first='shared', refine='decoder')
    with passes(glee) as counts:
        ids = [one.id for one in session.add_many(CLICKS)]
        session.refine_many({number: OUTSIDE for number in ids})
        session.find(top_k=2, **BOX)
        session.refine(session.results()[-1].id, **OUTSIDE)
    assert counts['encoder'] == 1 and counts['backbone'] == 0
    assert all(session.last_round(number).encoding is None for number in ids)
    session.show(session.image)
    with passes(glee) as counts:
        session.add(**BOX)
    assert counts == dict(decoder=1)  # they are the image's
    session.set_image(picture(1))
    with passes(glee) as counts:
        session.add(**BOX)
    assert counts == dict(encoder=1, decoder=1)


def test_words_and_references_are_read_by_the_pixels_in_every_way(glee):
    exact, fast = opened(glee), opened(glee, first='shared', refine='decoder')
    reference = exact.encode_reference(**BOX)
    prompts = [dict(text='a ring'), dict(points=[(30, 20)], text='a ring'), dict(reference=reference)]
    for one, other in zip(fast.add_many(prompts), exact.add_many(prompts)):
        close(one, other)
    with passes(glee) as counts:
        for number in range(3):
            fast.refine(number, points=[(60, 40)])
    assert counts == dict(decoder=3)
    with passes(glee) as counts:
        fast.refine(0, text='a star')
        fast.refine(0, points=[(12, 50)])
    assert counts == dict(backbone=1, encoder=1, decoder=2)


def kept(session):
    """Rounds that hold encoded pixels, by object."""
    return {number: sum(each.encoding is not None and each.encoding.pixels is not None for each in rounds)
            for number, rounds in session._rounds.items()}


def test_only_so_many_encodings_are_kept(glee):
    """The object that was not pointed at for the longest time is encoded again, and then kept."""
    session, exact = opened(glee, refine='decoder', kept_objects=2), opened(glee)
    for each in (session, exact):
        each.add_many([*CLICKS, BOX])
    assert kept(session) == {0: 0, 1: 0, 2: 1, 3: 1}
    session.refine(2, **OUTSIDE)
    with passes(glee) as counts:
        found = session.refine(0, **OUTSIDE)
    close(found, exact.refine(0, **OUTSIDE))
    assert counts == dict(backbone=1, encoder=1, decoder=1) and kept(session) == {0: 1, 1: 0, 2: 2, 3: 0}
    with passes(glee) as counts:
        session.refine_many({0: dict(points=[(5, 5, -1)]), 2: dict(points=[(5, 5, -1)])})
    assert counts == dict(decoder=2)


@pytest.mark.parametrize('way', ['clear', 'set_image', 'reset', 'undo'])
def test_encodings_are_let_go(glee, way):
    session = opened(glee, first='shared', refine='decoder')
    found = session.add(text='a ring', **CLICKS[0])
    session.refine(found.id, **OUTSIDE)
    session.add(**CLICKS[1])
    own = weakref.ref(session.last_round(found.id).encoding.pixels.mask_features)
    shared = weakref.ref(session.image.shared['object', ].mask_features)
    assert own() is not None and own() is not shared()
    dict(clear=session.clear, set_image=lambda: session.set_image(picture(1)), reset=session.reset,
         undo=lambda: [session.undo(found.id) for _ in range(2)])[way]()
    gc.collect()
    assert own() is None and (shared() is None) == (way in ('clear', 'set_image'))


def test_a_batch_leaves_no_neighbour_in_memory(glee):
    session = opened(glee, refine='decoder')
    session.add_many(CLICKS)
    features = session.last_round(0).encoding.pixels.mask_features
    assert features.untyped_storage().nbytes() == features.nbytes


def test_found_objects_share_one_encoding(glee, monkeypatch):
    monkeypatch.setattr('projects.glee.apis.interactive_session.distinct', lambda masks: [0, 1, 2])
    session = opened(glee, refine='decoder')
    found = session.find(**CLICKS[0])
    assert len(found) == 3 and len({id(session.last_round(one.id).encoding) for one in found}) == 1
    with passes(glee) as counts:
        session.refine_many({one.id: dict(points=[(30, 20)]) for one in found})
    assert counts == dict(decoder=3)


def test_rounds_on_a_frame_of_a_video(glee):
    """Between two clicks on a frame others may be pointed at; the backbone's maps and the encodings of it stay."""
    frames = [picture(seed) for seed in range(3)]
    session = VideoSession(glee, scale=(96, 64), refine='decoder')
    session.open(frames)
    car, bus = session.add(0, **CLICKS[0]), session.add(2, **BOX)
    image = opened(glee, refine='decoder')
    image.refine(image.add(**CLICKS[0]).id, **CLICKS[1])
    with passes(glee) as counts:
        found = session.refine(car.id, 0, **CLICKS[1])
        session.refine(bus.id, 2, **OUTSIDE)
    assert counts == dict(decoder=2)
    close(found, image.results()[0])
    held = weakref.ref(session._objects[car.id].rounds[0].encoding.pixels.mask_features)
    session.remove(car.id)
    gc.collect()
    assert held() is None
    shared = VideoSession(glee, scale=(96, 64), first='shared')
    shared.open(frames)
    with passes(glee) as counts:
        for click in CLICKS:
            shared.add(1, **click)
    assert counts == dict(backbone=1, encoder=1, decoder=3)


def test_options_are_checked_and_reach_the_test_loop(glee):
    for options, message in ((dict(first='fast'), "first='fast' is unknown; choose from"),
                             (dict(refine='encoder'), "refine='encoder' is unknown"),
                             (dict(kept_objects=0), 'kept_objects=0 must be 1 or more')):
        with pytest.raises(ValueError, match=message):
            InteractiveSession(glee, scale=(96, 64), **options)
    predictor = TASK_UTILS.build(dict(
        type='SessionPredictor', model=glee, scale=(96, 64), first='shared', refine='decoder'))
    predictor.set_image(picture(), np.zeros((0, 60, 90), bool))
    with passes(glee) as counts:
        assert len(predictor.start(CLICKS)) == 3
        predictor.refine({1: OUTSIDE})
    assert counts == dict(encoder=1, decoder=4)
