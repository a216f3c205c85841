"""Several questions about a video, whose earlier objects can be pointed at, and what a followed question says."""
import numpy as np
import pytest
import torch
from toy_llm import COLOURS, picture_of, toy_segmentor
from toy_video_llm import FILM, talkative, toy_video

import projects.glee.llm  # noqa: F401
from projects.glee.apis.inferencer import GLEEInferencer
from projects.glee.llm.ask_follower import AskFollower
from projects.glee.llm.dialogue import PointedObject
from projects.glee.llm.pointing import object_at
from projects.glee.llm.video import FrameReasoner
from projects.glee.llm.video_dialogue import VideoDialogue


def red_model():
    """A toy model whose every [SEG] means what is red."""
    model = talkative(toy_video(memory=None))
    codes = model.glee.codes  # not orthogonal: what is 5 with the first and -5 with all others
    red = torch.linalg.pinv(codes) @ torch.tensor([5.] + [-5.] * (len(codes) - 1))
    model.seg_projector.forward = lambda states: red.expand(len(states), -1)
    return model


def test_questions_point_at_earlier_objects(monkeypatch):
    model, questions = red_model(), []
    start = FrameReasoner.__init__
    monkeypatch.setattr(FrameReasoner, '__init__', lambda self, *args, **kwargs: start(
        self, *args, **kwargs) or questions.append(self.question))
    dialogue = VideoDialogue(model, FILM[:4])
    with pytest.raises(ValueError, match=r'\{1\} in .* the dialogue has 0 objects'):
        dialogue.ask('left of {1}')
    first = dialogue.ask('red square')
    assert [result.frame for result in first] == [0, 1, 2, 3]
    for frame, result in zip(FILM, first):
        truth = (frame == COLOURS['red']).all(-1)
        assert (result.masks[0] & truth).sum() / (result.masks[0] | truth).sum() > 0.7
        assert result.names == ['object'] and result.segs.tolist() == [1] and result.ids.tolist() == [1]
        assert result.text == 'Sure, the segmentation result is [SEG].'
    assert len(dialogue.objects) == 1 and dialogue.objects[0].query.equal(model.glee.codes[0])
    second = dialogue.ask('left of {1}')
    assert second[0].ids.tolist() == [2] and len(dialogue.objects) == 2
    before, pointed, after = questions[-1]
    assert (before, after) == ('Can you segment the left of', 'in this frame?')
    assert isinstance(pointed, PointedObject) and pointed is dialogue.objects[0]
    with pytest.raises(ValueError, match='empty question'):
        dialogue.ask('')


def test_the_pointed_object_is_read():
    model = talkative(toy_video())
    found = model.glee(FILM[0])
    embeds = [FrameReasoner(model, 'left of {1}', FILM[:2], pointed=[object_at(found, number)]).step(FILM[0]).embed
              for number in (0, 1, 0)]
    assert torch.equal(embeds[0], embeds[2]) and (embeds[0] - embeds[1]).abs().max() > 1e-6


def test_an_absent_object_cannot_be_pointed_at():
    dialogue = VideoDialogue(red_model(), [picture_of(('blue', 4, 4))] * 2)
    assert [len(result) for result in dialogue.ask('red square')] == [0, 0]
    assert dialogue.objects == [None]
    with pytest.raises(ValueError, match='GLEE has no object with that mask'):
        dialogue.ask('left of {1}')


def test_followed_questions_have_text_names_and_their_seg():
    model = red_model()
    model.glee.names = ('square', )
    follower = AskFollower(model, ['red square', 'the red one'], FILM[:4])
    result = follower.step(FILM[0], 0)
    assert result.names == ['square', 'square'] and result.ids.tolist() == [1, 2] and result.segs.tolist() == [1, 2]
    assert result.text == ' '.join(['Sure, the segmentation result is [SEG].'] * 2)
    x1, y1, x2, y2 = result.boxes[0]
    assert np.abs(np.array([x1, y1, x2, y2]) - (0, 4, 12, 16)).max() <= 2
    nothing = follower.step(picture_of(('blue', 4, 4)), 1)
    assert len(nothing) == 0 and nothing.text == '' and nothing.boxes.shape == (0, 4)


def test_a_model_of_pictures_has_no_dialogue_about_videos():
    inferencer = GLEEInferencer.__new__(GLEEInferencer)
    inferencer.language_model = toy_segmentor()
    with pytest.raises(ValueError, match='needs a language model that was trained on videos'):
        inferencer.open_video_dialogue(FILM)
    inferencer.language_model = red_model()
    assert len(inferencer.open_video_dialogue(FILM[:3]).ask('red square')) == 3
