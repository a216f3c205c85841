"""A language model as a program uses it: dialogues, videos, one-line errors."""
import sys

import numpy as np
import pytest
import torch
from toy_llm import LLAVA, PICTURES, picture_of, sample_of, toy_segmentor
from toy_video_llm import FILM, talkative, toy_video

import projects.glee.llm  # noqa: F401
from projects.glee.apis.inferencer import GLEEInferencer, _Limits
from projects.glee.apis.tracked_video import TrackedVideo
from projects.glee.llm import loading
from projects.glee.llm.ask_follower import AskFollower, follow_questions
from projects.glee.llm.dialogue import PointedObject, tokenize
from projects.glee.llm.picture_dialogue import PictureDialogue
from projects.glee.llm.pointing import pieces_of


@pytest.fixture(scope='module')
def trained():
    """A toy model that knows one dialogue: red, then blue."""
    model = toy_segmentor()
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], 3e-3, weight_decay=0.)
    samples = [sample_of(PICTURES[0], 'red', 'blue')]
    for _ in range(100):
        loss = sum(model.train()([[PICTURES[0]]], samples, 'loss').values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def inferencer_of(model):
    """A ``GLEEInferencer`` with nothing but a language model."""
    inferencer = GLEEInferencer.__new__(GLEEInferencer)
    inferencer.language_model, inferencer.errors = model, {}
    inferencer.limits = _Limits(0.3, 9, None)
    return inferencer


def test_a_dialogue_answers_points_and_streams(trained):
    dialogue, pieces = PictureDialogue(trained, PICTURES[0]), []
    first = dialogue.ask('Can you segment the red square in this image ?', pieces.append)
    assert first.text == 'Sure, it is [SEG].' == ''.join(pieces) and len(pieces) > 3
    assert len(first) == 1 and first.segs.tolist() == [1] and first.names == ['object'] and first.scores[0] > 0.5
    truth = (PICTURES[0] == (230, 30, 30)).all(-1)
    assert (first.masks[0] & truth).sum() / (first.masks[0] | truth).sum() > 0.8
    second = dialogue.ask('Can you segment the blue square in this image ?')
    truth = (PICTURES[0] == (30, 60, 230)).all(-1)
    assert (second.masks[0] & truth).sum() / (second.masks[0] | truth).sum() > 0.8
    assert [len(turn.asked) for turn in dialogue.turns] == [2, 1] and len(dialogue.objects) == 2
    # red is the first colour; the codes of the made-up GLEE are not orthogonal, its masks of the second are coarse
    assert torch.equal(dialogue.objects[0].box, trained.glee(PICTURES[0]).boxes[0])
    entry = second.to_dict()
    assert entry['text'] == second.text and entry['objects'][0]['seg'] == 1 and second[[0]].segs.tolist() == [1]


def test_pointing_puts_the_object_into_the_question(trained):
    dialogue = PictureDialogue(trained, PICTURES[0])
    with pytest.raises(ValueError, match=r'\{1\} in .* the dialogue has 0 objects'):
        dialogue.ask('left of {1} ?')
    dialogue.ask('Can you segment the red square in this image ?')
    pieces = list(pieces_of('left of {1} and {1} ?', dialogue.objects))
    assert [type(piece) for piece in pieces] == [str, PointedObject, str, PointedObject, str]
    dialogue.ask('left of {1} ?')
    tokens = tokenize(trained.language_model, dialogue.turns, [4], 4)
    assert (tokens.ids == trained.language_model.object_id).sum() == 4 + 1
    assert tokens.objects[0] == 0 and isinstance(tokens.objects[1], PointedObject)
    dialogue.objects[0] = None
    with pytest.raises(ValueError, match='GLEE has no object with that mask'):
        dialogue.ask('left of {1} ?')
    with pytest.raises(ValueError, match='empty question'):
        dialogue.ask(' ')


def test_old_rounds_are_forgotten_as_a_whole(trained):
    dialogue = PictureDialogue(trained, PICTURES[0], max_rounds=2)
    for colour in ('red', 'blue', 'white'):
        dialogue.ask(f'{colour} square ?')
    assert [turn.asked for turn in dialogue.turns] == [(0, 'blue square ?'), ('white square ?', )]
    assert all(turn.answer is not None for turn in dialogue.turns)


def test_the_inferencer_asks(trained):
    inferencer = inferencer_of(trained)
    result = inferencer(PICTURES[0], ask='Can you segment the blue square in this image ?')[0]
    assert result.text.count('[SEG]') == len(result) == 1 and result.plot().dtype == np.uint8
    both = inferencer(PICTURES, ask='red ?')
    assert len(both) == 2 and not inferencer.errors
    dialogue = inferencer.open_dialogue(PICTURES[1])
    assert dialogue.ask('red ?').shape == (32, 48)
    with pytest.raises(ValueError, match='ask= goes with names= only'):
        inferencer(PICTURES[0], ask='red ?', expressions='red')
    with pytest.raises(ValueError, match="ask= needs a language model: GLEEInferencer"):
        inferencer_of(None)(PICTURES[0], ask='red ?')


def test_one_line_without_the_extra(monkeypatch, tmp_path):
    with monkeypatch.context() as without, pytest.raises(
            ImportError, match='^the language model needs peft: pip install -r requirements/llm.txt$'):
        without.setitem(sys.modules, 'peft', None)
        toy_segmentor(dict(LLAVA, lora=dict(r=2)))
    with pytest.raises(FileNotFoundError, match='a language model for GLEE is a folder that training wrote'):
        loading.load_language_model(tmp_path, None, 'cpu')


def test_a_video_is_asked(trained):
    inferencer = inferencer_of(talkative(toy_video()))
    inferencer.model = inferencer.geometry = None
    tracked = inferencer.track(FILM, ask=['red square', 'blue square'])
    assert isinstance(tracked, TrackedVideo)
    results = list(tracked)
    assert len(results) == len(FILM) and all(set(result.ids.tolist()) <= {1, 2} for result in results)
    follower = follow_questions(inferencer.language_model, ['red square'], FILM, 0, None, 2)
    assert [one.tobytes() for one in follower.context] == [FILM[frame].tobytes() for frame in (0, 2, 4, 6)]
    live = follow_questions(inferencer.language_model, ['red square'], iter(FILM), 0, None, 1)
    assert live.context is None
    for number, frame in enumerate(FILM * 6):
        live.step(frame, number)
    assert len(live.past) <= 16
    of_pictures = AskFollower(trained, ['Can you segment the red square in this image ?'])
    assert of_pictures.step(picture_of(('red', 4, 4), ('blue', 28, 16)), 0).names == ['object']
