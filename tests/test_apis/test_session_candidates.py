"""Several masks for one click, and objects by name in the image of a session."""
import numpy as np
import pytest
import torch
from config_runs import load
from PIL import Image
from sessions import SHAPE, picture, same

from projects.glee.apis import GLEEInferencer
from projects.glee.apis.prompt_session import CANDIDATE_IOU
from projects.glee.models.prompts.prompt_decoder import DecodedObject
from projects.glee_cli import main

NAMES = ('star', 'ring')


def iou(one, other):
    return (one & other).sum() / max((one | other).sum(), 1)


@pytest.mark.parametrize('prompt', [dict(points=[(30, 20)]), dict(text='a ring'), dict(boxes=[(5, 5, 40, 30)])],
                         ids=str)
def test_the_first_candidate_is_the_result(session, prompt):
    plain = session.add(**prompt)
    found = session.add(num_candidates=4, **prompt)
    assert plain.candidates == () and 1 <= len(found.candidates) <= 4
    same(found, plain)
    same(found.candidates[0], plain)
    assert {one.id for one in found.candidates} == {found.id} and {one.round for one in found.candidates} == {1}
    assert all(0 <= one.score <= 1 and one.mask.shape == SHAPE for one in found.candidates)
    small = [(one.logits > 0).numpy() for one in found.candidates]
    assert all(iou(small[i], small[j]) <= CANDIDATE_IOU for i in range(len(small)) for j in range(i))
    with pytest.raises(ValueError, match='num_candidates=0'):
        session.add(num_candidates=0, **prompt)


MAP = (16, 24)  # mask features of the picture


def square(left, width):
    mask = torch.full(MAP, -6.)
    mask[4:12, left:left + width] = 6.
    return mask


def test_candidates_by_hand(session, monkeypatch):
    """Best first; the third shows what the second shows (IoU 9 / 10), the fourth nothing."""
    masks = [square(2, 6), square(2, 10), square(2, 9), torch.full(MAP, -6.), square(14, 4)]
    probability = torch.tensor([0.5, 0.9, 0.8, 0.7, 0.3])
    output = DecodedObject(
        index=0, ranking=probability, probability=probability, logits=torch.zeros(5, 1),
        boxes=torch.full((5, 4), 0.5), mask_embeds=torch.eye(5), embeddings=torch.randn(5, 64),
        mask_features=torch.stack(masks))
    monkeypatch.setattr(session, '_decode', lambda objects, choose, pixels: [choose(output)])
    found = session.add(points=[(30, 20)], num_candidates=5)
    assert [torch.equal(one.embedding, output.embeddings[query])
            for one, query in zip(found.candidates, (1, 0, 4))] == [True] * 3
    scores = [one.score for one in found.candidates]
    assert scores == sorted(scores, reverse=True) and scores == pytest.approx([0.9, 0.5, 0.3], rel=0.1)
    assert len(session.add(points=[(30, 20)], num_candidates=2).candidates) == 2


def test_a_chosen_candidate_is_gone_on_from(session):
    """The next round is what it would be if the model had taken that mask; undo and memory know nothing of the rest."""
    found = session.add(points=[(30, 20)], num_candidates=3)
    second = found.candidates[1]
    assert session.choose(second) is second and session.results() == [second]
    later = session.refine(found.id, points=[(60, 40)], num_candidates=2)
    given = session.objects_of([session.last_round(found.id).prompt], [second.logits])
    with torch.no_grad():
        output, = session._decode(given, lambda decoded: decoded)
    assert torch.equal(later.embedding, output.embeddings[output.ranking.argmax()])
    assert later.round == 2 and all(one.round == 2 for one in later.candidates)
    with pytest.raises(ValueError, match='the candidate is of round 1, object 0 is in round 2'):
        session.choose(found.candidates[0])
    assert session.last_round(found.id).result.candidates == ()
    assert session.undo(found.id) is second
    session.reset()
    with pytest.raises(KeyError, match='no object 0'):
        session.choose(second)


# ---- names ----
@pytest.fixture(scope='module')
def inferencer(tmp_path_factory):
    torch.manual_seed(0)
    return GLEEInferencer(load('glee_mini_coco', tmp_path_factory.mktemp('work')), device='cpu', score_thr=0.)


@pytest.mark.parametrize('limits', [{}, dict(score_thr=None), dict(max_per_img=3), dict(nms_iou=0.5)], ids=str)
def test_names_in_a_session_are_those_of_the_inferencer(inferencer, limits):
    """To the last bit, without another pass of the backbone, among the objects of the session."""
    if 'score_thr' in limits:
        limits['score_thr'] = float(np.median(inferencer(picture(), names=NAMES, score_thr=0.)[0].scores))
    limits = dict(dict(score_thr=0.), **limits)
    expected = inferencer(picture(), names=NAMES, **limits)[0]
    session = inferencer.open_image(picture(), vocabulary=NAMES)
    clicked, calls = session.add(points=[(30, 20)]), []
    hook = inferencer.model.backbone.register_forward_hook(lambda *_: calls.append(1))
    found = session.detect(NAMES, **limits)
    hook.remove()
    assert not calls and session.results() == [clicked]
    assert found.names == expected.names and found.rles == expected.rles and len(found)
    assert np.array_equal(found.boxes, expected.boxes) and np.array_equal(found.scores, expected.scores)
    assert clicked.label in NAMES
    index = next(index for index, mask in enumerate(found.masks) if mask.any())
    taken = session.add(mask=found.masks[index])
    assert session.refine(taken.id, points=[(60, 40)]).round == 2


def test_the_result_of_a_session_is_its_objects_and_its_picture(inferencer, tmp_path):
    session = inferencer.open_image(picture(), vocabulary=NAMES)
    assert len(session.result()) == 0
    one, two = session.add(points=[(30, 20)]), session.add(text='a bar')
    result = session.result()
    assert result.names == [one.label, 'a bar'] and result.rles == [one.rle, two.rle]
    assert np.array_equal(result.image, picture()) and np.array_equal(session.detect(NAMES).image, picture())
    assert result.scores.tolist() == pytest.approx([one.score, two.score])
    assert not np.logical_and.reduce(session.result(exclusive=True).masks).any()
    assert result.save(tmp_path / 'out.png').stat().st_size


def test_candidates_of_the_command_line(inferencer, tmp_path, capsys):
    """Pictures and masks of each, with their names; names are those of the session."""
    torch.save(dict(state_dict=inferencer.model.state_dict()), tmp_path / 'mini.pth')
    Image.fromarray(picture()).save(tmp_path / 'a.png')
    words = ['click', str(tmp_path / 'a.png'), '--point', '30', '20', '--names', *NAMES, '--model', 'glee_mini',
             '--weights', str(tmp_path / 'mini.pth'), '--candidates', '2', '--device', 'cpu',
             '--out', str(tmp_path / 'out.png'), '--mask', str(tmp_path / 'mask.png')]
    assert main(words) == 0
    session = inferencer.open_image(picture(), vocabulary=NAMES)
    expected = session.add(points=[(30, 20)], num_candidates=2).candidates
    assert len(expected) == 2
    for line, one, ending in zip(capsys.readouterr().out.splitlines(), expected, ('', '_2'), strict=True):
        assert line.startswith(f'{one.label}: score {one.score:.2f}, box ') and line.endswith(f'out{ending}.png')
        assert np.array_equal(np.asarray(Image.open(tmp_path / f'mask{ending}.png')), one.mask)
    assert main([*words[:2], '--box', '1', '1', '9', '9', '--box', '1', '1', '9', '9', '--candidates', '2']) == 2
    assert '--candidates is for one object, but 2 are given' in capsys.readouterr().err


def test_what_cannot_be_looked_for(session):
    with pytest.raises(ValueError, match='names'):
        session.detect([])
    session.clear()
    with pytest.raises(RuntimeError, match='set_image first'):
        session.detect('star')
    session.set_image(picture())
    for wrong, message in ((dict(pionts=[(1, 1)]), "object 0: 'pionts' is unknown; give a dict with keys out of audio"),
                           ([(1, 1)], r'object 0: \[\(1, 1\)\] is unknown; give a dict')):
        with pytest.raises(ValueError, match=message):
            session.add_many([wrong])
