"""Every object that a prompt fits, names of masks, and masks that share no pixel: by hand-made queries."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from sessions import SHAPE, close, same

from projects.glee.apis import InteractiveSession
from projects.glee.apis.session_objects import distinct
from projects.glee.models.prompts.prompt_decoder import DecodedObject

MAP = (16, 24)  # mask features of the picture


def square(top, left, side, logit=6.):
    """Mask logits of a square on the feature map."""
    mask = torch.full(MAP, -logit)
    mask[top:top + side, left:left + side] = logit
    return mask


def answer(monkeypatch, player, queries):
    """Let every prompt be answered by queries of (probability, mask logits)."""
    probability = torch.tensor([query[0] for query in queries])
    count = len(queries)
    output = DecodedObject(
        index=0, ranking=probability, probability=probability, logits=torch.zeros(count, 1),
        boxes=torch.full((count, 4), 0.5), mask_embeds=torch.eye(count),
        embeddings=torch.randn(count, 64, generator=torch.Generator().manual_seed(0)),
        mask_features=torch.stack([mask for _, mask in queries]))
    monkeypatch.setattr(player, '_decode', lambda objects, choose, pixels: [choose(output)])
    return output


FOUR = [(0.8, square(2, 14, 7)), (0.9, square(2, 2, 7)), (0.85, square(2, 3, 7)),  # the third is the second again
        (0.2, square(11, 5, 4)), (0.7, torch.full(MAP, -6.))]  # unlikely; empty


def test_two_objects_above_the_threshold(session, monkeypatch):
    output = answer(monkeypatch, session, FOUR)
    found = session.find(min_score=0.5, points=[(5, 5)])
    assert [(obj.id, obj.round) for obj in found] == [(0, 1), (1, 1)] and session.results() == found
    assert [torch.equal(obj.embedding, output.embeddings[query]) for obj, query in zip(found, (1, 0))] == [True] * 2
    # the mean mask probability is a little below 1
    assert 0.8 < found[0].score < 0.9 and 0.7 < found[1].score < 0.8
    # 3.75 px of the picture per map pixel; the middle of each square is in its mask alone
    middles = [(int(5.5 * 3.75), int(left * 3.75)) for left in (5.5, 17.5)]
    assert [[bool(obj.mask[middle]) for middle in middles] for obj in found] == [[True, False], [False, True]]
    assert [obj.mask.shape for obj in found] == [SHAPE] * 2


def test_a_mask_has_the_names_of_its_query(session, glee, monkeypatch):
    """Names whose embeddings lie along the queries' own directions: each exact mask gives its own one."""
    head, names = glee.panoptic_head, tuple('abcde')
    output = answer(monkeypatch, session, FOUR)
    directions = head.decoder.norm(output.embeddings) @ head.category_embed
    vocabulary = head.encode_names(names)._replace(embeds=(directions / directions.norm(dim=1, keepdim=True))[None])
    encode = head.encode_names
    monkeypatch.setattr(head, 'encode_names', lambda given: vocabulary if given == names else encode(given))
    for query in (0, 1, 3):
        whole = F.interpolate(FOUR[query][1][None, None], (64, 96), mode='bilinear')
        mask = (F.interpolate(whole, SHAPE, mode='bilinear')[0, 0] > 0).numpy()
        ranked = session.label(mask, names, top_k=5)
        # by length times cosine, whatever the head adds to all of them
        expected = (directions[query] @ vocabulary.embeds[0].T).argsort(descending=True).tolist()
        assert [name for name, _ in ranked] == [names[index] for index in expected] and ranked[0][0] == names[query]
    shifted = np.roll(mask, 8, 1)  # half of the small square
    assert session.label(shifted, names, min_iou=0.5) == [] and session.label(shifted, names, min_iou=0.2)[0][0] == 'd'


def test_the_namer_of_a_mask_is_confident_and_overlaps(session, monkeypatch):
    """Exact but unlikely; off by one column (IoU 42 / 56) and likely; likelier still, but elsewhere."""
    output = answer(monkeypatch, session, [(0.2, square(2, 2, 7)), (0.9, square(2, 3, 7)), (0.95, square(2, 14, 2))])
    monkeypatch.setattr(session.image, 'shrink', lambda mask: (square(2, 2, 7) > 0).float())
    given = np.ones(SHAPE, dtype=bool)
    assert torch.equal(session._embedding_of(given, 0.3)[1], output.embeddings[1])
    assert torch.equal(session._embedding_of(given, 0.75)[1], output.embeddings[1])
    assert session._embedding_of(given, 0.76)[1] is None


def test_all_some_and_none(session, monkeypatch):
    answer(monkeypatch, session, FOUR)
    scores = [obj.score for obj in session.find(points=[(5, 5)])]
    assert scores == pytest.approx([0.9, 0.8, 0.2], rel=0.1)
    assert len(session.find(top_k=2, points=[(5, 5)])) == 2
    assert session.find(min_score=0.95, points=[(5, 5)]) == []
    assert [obj.id for obj in session.results()] == [0, 1, 2, 3, 4]
    for top_k in (0, -1):
        with pytest.raises(ValueError, match='top_k'):
            session.find(top_k=top_k, points=[(5, 5)])
    with pytest.raises(ValueError, match='negative points only'):
        session.find(points=[(5, 5, -1)])


@pytest.mark.parametrize('prompt', [dict(points=[(30, 20), (80, 50, -1)]), dict(boxes=[(5, 5, 40, 30)]),
                                    dict(text='a ring'), dict(points=[(60, 30)], text='a ring')])
def test_the_best_one_is_what_add_gives(session, prompt):
    added, (found, ) = session.add(**prompt), session.find(top_k=1, **prompt)
    same(added, found)
    reference = session.encode_reference(boxes=[(5, 5, 40, 30)])
    same(session.add(reference=reference), session.find(top_k=1, reference=reference)[0])


def test_each_can_be_refined_and_taken_back(session, monkeypatch):
    answer(monkeypatch, session, FOUR)
    found = session.find(text='a ring')
    monkeypatch.undo()
    later = session.refine(found[1].id, points=[(40, 20)])
    assert (later.id, later.round, later.text) == (found[1].id, 2, 'a ring')
    assert session.undo(found[1].id) is found[1]
    session.reset(found[0].id)
    assert session.results() == found[1:]


def test_duplicates_by_hand():
    """IoU with one kept before: 0.5 stays, above goes; what was dropped drops nobody."""
    masks = torch.zeros(5, 1, 12, dtype=torch.bool)
    for mask, (start, stop) in zip(masks, [(0, 4), (1, 5), (2, 6), (0, 2), (9, 9)]):
        mask[0, start:stop] = True
    assert distinct(masks) == [0, 2, 3]  # IoUs with the first: 3/5, 2/6, 2/4; the last is empty
    assert distinct(masks, max_iou=0.4) == [0, 2] and distinct(masks[4:]) == [0] and distinct(masks[:0]) == []


@pytest.mark.parametrize('score, winner', [(0.8, 1), (0.3, 0)])
def test_shared_pixels_go_to_one(session, monkeypatch, score, winner):
    """One is surer of itself, the other of its pixels: 0.9 x sigmoid(1) = 0.66 against ``score`` x sigmoid(6)."""
    answer(monkeypatch, session, [(0.9, square(2, 2, 8, 1.)), (score, square(2, 6, 8, 6.))])
    found = session.find(points=[(5, 5)])
    shared = found[0].mask & found[1].mask
    assert shared.sum() > 200
    divided = session.results(exclusive=True)
    full = F.interpolate(torch.stack([obj.logits for obj in found])[None], (64, 96), mode='bilinear')
    full = F.interpolate(full, SHAPE, mode='bilinear')[0].sigmoid().numpy()
    claims = full * np.array([obj.score for obj in found])[:, None, None]
    for index, (obj, whole) in enumerate(zip(divided, found)):
        expected = whole.mask & ~(shared & (claims.argmax(0) != index))
        assert np.array_equal(obj.mask, expected) and (obj.id, obj.score) == (whole.id, whole.score)
    assert not (divided[0].mask & divided[1].mask).any()
    assert np.array_equal(divided[0].mask | divided[1].mask, found[0].mask | found[1].mask)
    assert divided[winner].mask[22, 30] and shared[22, 30]  # in the middle of both
    assert session.results() == found and (session.results()[0].mask & session.results()[1].mask).any()


def test_nothing_to_divide(glee, session):
    assert session.results(exclusive=True) == []
    alone = session.add(points=[(30, 20)])
    close(session.results(exclusive=True)[0], alone)
    assert InteractiveSession(glee, scale=(96, 64)).results(exclusive=True) == []  # without an image, too


@pytest.mark.parametrize('overlap', [0.01, 0.6])
def test_panoptic_is_what_the_detector_predicts(session, glee, monkeypatch, overlap):
    """The same image with the stuff in ``stuff_text``; what belongs to nobody is 0."""
    things, stuff = ('circle', 'star', 'ring'), ('sky', 'grass')
    monkeypatch.setattr(glee.panoptic_fusion_head, 'panoptic', dict(score_thr=0., overlap_thr=overlap))
    ids, segments = session.panoptic(things, stuff)
    image = session.image
    sample = DetDataSample(metainfo=dict(image.sample.metainfo, text=things, stuff_text=stuff))
    with torch.no_grad():
        predicted = glee(image.batch, [sample], mode='predict')[0].pred_panoptic_seg
    labels, found = predicted.sem_seg[0].numpy(), predicted.segments_info
    assert ids.shape == labels.shape == SHAPE and len(segments) == len(found) > 0
    expected = np.zeros(SHAPE, int)
    for number, (segment, info) in enumerate(zip(segments, found), 1):
        expected[labels == info['id']] = number
        assert segment == dict(id=number, name=(things + stuff)[info['label']], is_thing=info['label'] < 3,
                               score=info['score'], area=int((labels == info['id']).sum()))
    assert np.array_equal(ids, expected)
    assert np.array_equal(ids == 0, labels == 5) and (ids == 0).any()
