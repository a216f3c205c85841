"""A session: rounds, counts of passes, composition, labels, references and errors."""
import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from sessions import SHAPE, close, picture, same

from projects.glee.apis import InteractiveSession, Transcript, track_reference
from projects.glee.models.prompts import PromptComposer, ReferencePrompt
from projects.glee.structures.masks import encode


@torch.no_grad()
def queries(session, **prompt):
    """All queries of a prompt, without making it an object of the session."""
    return session._decode(session.objects_of([session.read(**prompt)]), lambda decoded: decoded)[0]


def count_calls(model, session_steps):
    """Sizes of all backbone inputs and number of text transformer passes."""
    sizes, texts = [], []
    hooks = [model.backbone.register_forward_hook(lambda _, inputs, __: sizes.append(tuple(inputs[0].shape))),
             model.panoptic_head.text_encoder.text_model.register_forward_hook(lambda *_: texts.append(1))]
    session_steps()
    for hook in hooks:
        hook.remove()
    return sizes, len(texts)


def test_after_the_first_click_only_templates_and_decoder_run(session, glee):
    first = session.add(points=[(30, 20)])
    session.add(text='the red star')

    def more():
        session.refine(first.id, points=[(40, 25), (80, 50, -1)])
        session.refine(first.id, scribbles=[[(30, 20), (50, 30)]])
        other = session.add_many([dict(boxes=[(5, 5, 20, 30)]), dict(points=[(70, 50)], text='the red star')])
        session.undo(other[0].id)
        session.label(first.id)
        session.label(session.results()[0].mask)

    sizes, texts = count_calls(glee, more)
    assert texts == 0
    assert {size[1:] for size in sizes} == {(3, 64, 64)}  # templates only, the image is 64 x 96
    assert sum(size[0] for size in sizes) == 5


def test_add_many_equals_adding_one_by_one(session):
    prompts = [dict(points=[(30, 20)]), dict(boxes=[(5, 5, 40, 30)]), dict(polygons=[[(50, 10), (80, 15), (60, 50)]]),
               dict(scribbles=[[(10, 50), (40, 40)]]), dict(mask=np.eye(60, 90) > 0), dict(text='a ring'),
               dict(points=[(60, 30)], text='a ring')]
    together = session.add_many(prompts)
    session.reset()
    assert session.results() == []
    for prompt, expected in zip(prompts, together):
        close(session.add(**prompt), expected)
    assert [r.mask.shape for r in session.results()] == [SHAPE] * 7
    assert all(r.label in ('circle', 'star', 'ring') and 0 <= r.label_score <= 1 for r in together)


def test_a_round_adds_to_the_ones_before(session):
    """Two clicks in one round equal one and then another but for the attraction of the mask between."""
    composer = session.head.prompt_decoder.composer
    composer.prev_weight, before = 0., composer.prev_weight
    both = session.add(points=[(30, 20), (60, 40), (80, 50, 0)])
    step = session.add(points=[(30, 20)])
    step = session.refine(step.id, points=[(60, 40)])
    step = session.refine(step.id, points=[(80, 50, -1)])
    composer.prev_weight = before
    close(step, both)
    assert (both.round, step.round) == (1, 3)


def test_undo_restores_bit_by_bit(session):
    first = session.add(points=[(30, 20)])
    second = session.refine(first.id, points=[(60, 40)])
    third = session.refine(first.id, points=[(85, 55, -1)])
    assert session.undo(first.id) is second and session.results() == [second]
    same(session.refine(first.id, points=[(85, 55, -1)]), third)
    session.undo(first.id)
    assert session.undo(first.id) is first
    assert session.undo(first.id) is None and session.results() == []
    same(session.add(points=[(30, 20)]), first)


def test_sessions_do_not_leak(glee, session):
    alone = session.add(points=[(30, 20)])
    other = InteractiveSession(glee, scale=(96, 64))
    other.set_image(picture(1))
    other.add(points=[(30, 20)])
    other.add(boxes=[(1, 1, 30, 30)])
    again = session.add(points=[(30, 20)])
    same(again, alone)
    assert len(session.results()) == 2 and again.id != alone.id


def test_a_new_image_forgets_the_old_objects(session):
    first = session.add(points=[(30, 20)])
    session.set_image(picture(5, (40, 50)))
    assert session.results() == []
    with pytest.raises(KeyError, match='there is no object 0'):
        session.refine(first.id, points=[(1, 1)])
    assert session.add(points=[(30, 20)]).mask.shape == (40, 50)


def test_one_object_of_several(session):
    kept = [session.add(points=[(20 * i + 5, 30)]) for i in range(3)]
    session.reset(kept[1].id)
    assert session.results() == [kept[0], kept[2]]


def test_labels(session):
    found = session.add(boxes=[(10, 10, 50, 50)])
    ranked = session.label(found.id, top_k=3)
    assert ranked[0] == (found.label, pytest.approx(found.label_score))
    assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)
    shuffled = session.label(found.id, ('ring', 'circle', 'star'), top_k=3)
    assert [name for name, _ in shuffled] == [name for name, _ in ranked]
    assert session.label(found.id, min_score=1.1) == [('others', pytest.approx(found.label_score))]
    assert session.label(found.mask)[0][0] in ('circle', 'star', 'ring')
    odd = np.zeros(SHAPE, bool)
    odd[::7, ::9] = True
    assert session.label(odd, min_iou=0.9) == []


def test_the_vocabulary_cannot_move_a_mask_unless_asked(glee, session):
    plain = session.add(boxes=[(10, 10, 50, 50)])
    for fused in (False, True):
        other = InteractiveSession(glee, ('sphere', 'disk', 'heart'), (96, 64), vocabulary_in_fusion=fused)
        other.set_image(picture())
        assert torch.equal(other.add(boxes=[(10, 10, 50, 50)]).logits, plain.logits) == (not fused)


def test_a_name_is_the_aligned_embedding(session, glee, monkeypatch):
    """Oracle: with the text embedding of one name set along the query's own direction it must win."""
    found = session.add(boxes=[(10, 10, 50, 50)])
    head = glee.panoptic_head
    direction = head.decoder.norm(found.embedding) @ head.category_embed
    prompt = head.encode_names(('x', 'y', 'z'))
    embeds = torch.stack([-direction, direction * 3, direction])[None]
    monkeypatch.setattr(head, 'encode_names', lambda names: prompt._replace(embeds=embeds))
    names = session.label(found.id, ('x', 'y', 'z'), top_k=3)
    assert [name for name, _ in names] == ['y', 'z', 'x']


def test_reference_of_the_same_image_reproduces_the_prompt(session, glee, tmp_path, monkeypatch):
    reference = session.encode_reference(boxes=[(10, 10, 50, 50)])
    direct = session.add(boxes=[(10, 10, 50, 50)])
    referred = session.add(reference=reference)
    outputs = []
    for prompt in (dict(boxes=[(10, 10, 50, 50)]), dict(reference=reference)):
        outputs.append(queries(session, **prompt))
    torch.testing.assert_close(outputs[0].logits, outputs[1].logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(outputs[0].mask_embeds, outputs[1].mask_embeds, atol=1e-5, rtol=0)
    confidence = outputs[0].ranking
    head = glee.panoptic_head
    names = (head.decoder.norm(outputs[1].embeddings) @ head.category_embed).detach()
    cosine = torch.cosine_similarity(names, reference.name[None])
    assert cosine.max() == pytest.approx(1, abs=1e-5)  # the object itself
    torch.testing.assert_close(outputs[1].ranking, (confidence * ((1 + cosine) / 2)**32).sqrt(), atol=1e-5, rtol=0)
    # as the released models have it
    monkeypatch.setattr(head.prompt_decoder, 'composer', PromptComposer())
    released, plain = queries(session, reference=reference), queries(session, boxes=[(10, 10, 50, 50)])
    cosine = torch.cosine_similarity(outputs[1].mask_embeds, reference.pooled[None])
    torch.testing.assert_close(released.ranking, (plain.ranking * (1 + cosine) / 2).sqrt(), atol=1e-5, rtol=0)
    monkeypatch.undo()
    assert direct.mask.shape == referred.mask.shape

    reference.save(tmp_path / 'reference.pth')
    loaded = ReferencePrompt.load(tmp_path / 'reference.pth')
    same(session.add(reference=loaded), referred)
    torch.save(dict(a=1), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='is not a saved reference'):
        ReferencePrompt.load(tmp_path / 'other.pth')


@pytest.mark.parametrize('prompt', [
    dict(points=[(30, 20), (60, 40)]), dict(scribbles=[[(10, 50), (40, 40), (60, 55)]]),
    dict(mask=np.add.outer(np.arange(60), np.arange(90)) % 3 == 0)])  # 1800 pixels, of which 512 are read
def test_a_reference_of_any_kind_reproduces_its_prompt(session, prompt):
    """On its own image every query comes out as with the prompt itself."""
    outputs = []
    for given in (prompt, dict(reference=session.encode_reference(**prompt))):
        outputs.append(queries(session, **given))
    for field in ('logits', 'boxes', 'mask_embeds', 'embeddings', 'mask_features'):
        torch.testing.assert_close(getattr(outputs[0], field), getattr(outputs[1], field), atol=1e-5, rtol=0)


def test_two_texts_in_one_call_equal_two_calls(session):
    together = session.add_many([dict(text='a ring'), dict(text='the red star')])
    for words, expected in zip(('the red star', 'a ring'), together[::-1]):
        close(session.add(text=words), expected)
    assert together[0].score != together[1].score and [obj.text for obj in together] == ['a ring', 'the red star']


def test_a_reference_works_in_another_image_and_in_a_batch(glee, session):
    reference = session.encode_reference(points=[(30, 20)])
    other = InteractiveSession(glee, scale=(96, 64))
    other.set_image(picture(3, (70, 80)))
    mixed = other.add_many([
        dict(reference=reference), dict(points=[(5, 5)]), dict(points=[(40, 40)], reference=reference),
        dict(reference=reference, text='a ring')])
    close(other.add(reference=reference), mixed[0])
    close(other.add(points=[(40, 40)], reference=reference), mixed[2])
    assert mixed[3].score != mixed[0].score


def test_audio_is_its_transcript(glee, session):
    heard = []
    listening = InteractiveSession(
        glee, scale=(96, 64), transcriber=lambda audio: heard.append(audio) or Transcript('a ring', 'en'))
    listening.set_image(picture())
    spoken = listening.add(audio='voice.wav')
    same(spoken, session.add(text='a ring'))
    assert heard == ['voice.wav'] and spoken.text == 'a ring'
    with pytest.raises(ValueError, match='no transcriber'):
        session.add(audio='voice.wav')
    with pytest.raises(ValueError, match='text or audio'):
        listening.add(audio='voice.wav', text='a ring')


def test_a_hundred_prompts_at_once(session):
    results = session.add_many([dict(points=[(x * 9 + 4, y * 6 + 3)]) for y in range(10) for x in range(10)])
    assert [r.id for r in results] == list(range(100)) and all(np.isfinite(r.score) for r in results)
    close(session.add(points=[(4, 9)]), results[10])


@pytest.mark.parametrize('prompt, message', [
    (dict(points=[(90, 5)]), r'object 0: point \(90, 5\) is outside the image of 90 x 60'),
    (dict(boxes=[(5, 5, 5, 20)]), 'no area'),
    (dict(boxes=[(100, 5, 120, 20)]), 'outside the image'),
    (dict(boxes=(5, 5, 9, 20)), 'must be a list of number lists'),
    (dict(mask=np.zeros(SHAPE)), 'no pixel'),
    (dict(mask=np.ones((3, 3))), r'the mask is \(3, 3\)'),
    (dict(text=' '), 'text is empty'),
    (dict(points=[(5, 5, -1)]), 'object 0 has negative points only'),
    (dict(), 'give at least one of'),
])
def test_impossible_prompts_are_named_and_change_nothing(session, prompt, message):
    with pytest.raises(ValueError, match=message):
        session.add(**prompt)
    assert session.results() == []
    assert session.add(points=[(5, 5)]).id == 0


def test_order_of_calls(glee):
    with pytest.raises(ValueError, match='give scale='):
        InteractiveSession(glee)  # it has no config that says at what size it wants pictures
    session = InteractiveSession(glee, scale=(96, 64))
    for call in (lambda: session.add(points=[(1, 1)]), lambda: session.refine(0, points=[(1, 1)])):
        with pytest.raises(RuntimeError, match='set_image first'):
            call()
    with pytest.raises(ValueError, match='a picture is an array'):
        session.set_image(np.zeros((5, 5, 7), np.uint8))
    session.set_image(picture(0, (20, 30)))
    with pytest.raises(KeyError, match='there is no object 3'):
        session.undo(3)
    session.add(points=[(2, 2)])
    with pytest.raises(ValueError, match='needs a vocabulary'):
        session.label(0)
    with pytest.raises(ValueError, match='positive pixels'):
        session.encode_reference(text='a ring')


def test_a_model_without_prompter_is_refused(glee):
    model = copy.copy(glee)
    model._modules = dict(glee._modules, panoptic_head=torch.nn.Module())
    with pytest.raises(ValueError, match='no visual prompter'):
        InteractiveSession(model)


@pytest.mark.parametrize('memory', ['none', 'prev'])
def test_a_reference_through_a_video(glee, session, memory):
    """A still video gives one answer; without memory frames are independent."""
    reference = session.encode_reference(boxes=[(10, 10, 50, 50)])
    player = InteractiveSession(glee, scale=(96, 64))
    frames = [picture(7), picture(7), picture(8)]
    found = list(track_reference(player, frames, reference, memory))
    assert all(result.mask.shape == SHAPE for result in found)
    same(found[0], found[1])
    if memory == 'none':
        same(next(track_reference(player, frames[::-1], reference)), found[2])


def test_the_memory_adds_its_cosine_to_the_reference(glee, session):
    """By all queries of the second frame: what the reference says plus a quarter of the cosine with the first one."""
    reference = session.encode_reference(boxes=[(10, 10, 50, 50)])
    player = InteractiveSession(glee, scale=(96, 64))
    first, second = track_reference(player, [picture(7), picture(8)], reference, 'prev', memory_score=0.)
    output = queries(player, reference=reference)
    best = (output.ranking + 0.25 * torch.cosine_similarity(output.embeddings, first.embedding[None])).argmax()
    assert torch.equal(second.embedding, output.embeddings[best])
    # the memory of another query can prevail, and it is no part of the score
    best, second = output.embeddings[output.ranking.topk(2).indices]
    far = second - best
    kept = player.add(reference=reference, like=far * 3)
    best = (output.ranking + 0.25 * torch.cosine_similarity(output.embeddings, far[None])).argmax()
    assert torch.equal(kept.embedding, output.embeddings[best]) and kept.score <= output.probability[best]
    assert best != output.ranking.argmax()


@pytest.mark.parametrize('memory_score, last', [(0.2, 3), (0.8, 3), (0.85, 0)])
def test_the_memory_stays_where_the_object_is_absent_or_doubtful(glee, session, monkeypatch, memory_score, last):
    """In the second frame the score is too low, in the third the mask is empty; then the first frame is remembered.

    So it is after the fourth, if its score of 0.8 is not enough.
    """
    reference = session.encode_reference(boxes=[(10, 10, 50, 50)])
    player, asked, given = InteractiveSession(glee, scale=(96, 64)), [], []
    scores = iter([0.9, 0.4, 0.9, 0.8, 0.7])
    find = player.add

    def add(reference, like):
        found = find(reference=reference, like=like)
        blank = not player.image.sample.blank
        found = replace(found, score=next(scores), rle=encode(np.full(SHAPE, blank)))
        asked.append((reference, like))
        given.append(found.embedding)
        return found

    monkeypatch.setattr(player, 'add', add)
    set_image = player.set_image

    def set_blank(frame):
        set_image(frame)
        player.image.sample.set_metainfo(dict(blank=not frame.any()))

    monkeypatch.setattr(player, 'set_image', set_blank)
    frames = [picture(7), picture(8), np.zeros((*SHAPE, 3), np.uint8), picture(9), picture(7)]
    found = list(track_reference(player, frames, reference, 'prev', min_score=0.5, memory_score=memory_score))
    assert [result is None for result in found] == [False, True, True, False, False]
    assert all(reference_ is reference for reference_, _ in asked)
    assert [like if like is None else [torch.equal(like, embedding) for embedding in given].index(True)
            for _, like in asked] == [None, 0, 0, 0, last]


def test_an_absent_object_gives_no_mask_and_is_found_again(glee, session):
    reference = session.encode_reference(boxes=[(10, 10, 50, 50)])
    player = InteractiveSession(glee, scale=(96, 64))
    frames = [picture(7), picture(8), picture(7)]
    scores = [result.score for result in track_reference(player, frames, reference)]
    threshold = (scores[0] + scores[1]) / 2
    found = list(track_reference(player, frames, reference, min_score=threshold))
    assert [result is None for result in found] == [score < threshold for score in scores]
    assert scores[0] == scores[2] and any(result is None for result in found)
    with pytest.raises(ValueError, match='memory'):
        next(track_reference(player, frames, reference, memory='all'))
