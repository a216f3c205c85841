"""Questions on the demo page, without a browser: answers as the inferencer has them, word by word."""
import sys
from pathlib import Path

import numpy as np
import pytest
from demo_image import NO_PICTURE
from demo_model import tiny_glee

from projects.glee_cli.serving.limits import Limits

sys.path.append(str(Path(sys.prefix) / 'extras/llm'))
from toy_llm import PICTURES, toy_segmentor  # noqa: E402
from toy_video_llm import talkative  # noqa: E402

QUESTION = 'Can you segment the red square in this image ?'


@pytest.fixture(scope='module')
def glee():
    """An inferencer whose language model says [SEG] three times to everything."""
    glee = tiny_glee()
    glee.language_model = talkative(toy_segmentor(max_new_tokens=3).eval())
    return glee


def test_an_answer_comes_word_by_word_with_its_objects(glee):
    from demo_ask import AskDemo
    demo = AskDemo(glee)
    opened = demo.open(PICTURES[0])
    assert opened.chat == [] and opened.answer.picture.shape[2] == 3
    *words, last = demo.ask(QUESTION)
    alone = glee(PICTURES[0], ask=QUESTION)[0]
    said = [one.chat[-1]['content'] for one in words]
    assert len(said) == 3 and all(after.startswith(before) for before, after in zip(said, said[1:]))
    assert last.chat == [dict(role='user', content=QUESTION), dict(role='assistant', content=alone.text)]
    assert [row[0] for row in last.answer.table] == [f'{n} {name}' for n, name in enumerate(alone.names, 1)]
    assert np.allclose([row[2:] for row in last.answer.table], alone.boxes, atol=0.06)
    assert last.answer.picture.shape == opened.answer.picture.shape
    *_, again = demo.ask(QUESTION)
    assert len(again.chat) == 4 and [row[0].split()[0] for row in again.answer.table] == ['4', '5', '6']


def test_what_is_missing_is_said(glee):
    from demo_ask import NO_QUESTION, AskDemo
    demo = AskDemo(glee)
    assert [one.answer.message for one in demo.ask(QUESTION)] == [NO_PICTURE]
    demo.open(PICTURES[0])
    assert [one.answer.message for one in demo.ask(' ')] == [NO_QUESTION]
    refused, = demo.ask('left of {9} ?')
    assert 'the dialogue has 0 objects' in refused.answer.message and refused.chat == []


def test_the_tab_is_there_with_a_language_model_only(glee, tmp_path, monkeypatch):
    pytest.importorskip('gradio')
    from ask_tab import AskHandlers
    from desk import Desk
    from page import build_page
    for titles in ({'Picture', 'Video', 'Ask'}, {'Picture', 'Video'}):
        parts = build_page(Desk(glee, Limits(), folder=tmp_path)).get_config_file()['components']
        tabs = {part['props']['label'] for part in parts if part['type'] == 'tabitem'}
        assert tabs & {'Picture', 'Video', 'Ask'} == titles
        boxes = [part['props'] for part in parts if part['props'].get('label') == 'Question']
        assert [props['visible'] for props in boxes] == ([True, True] if 'Ask' in titles else [False])
        monkeypatch.setattr(glee, 'language_model', None)
    monkeypatch.undo()
    handlers = AskHandlers(Desk(glee, folder=tmp_path))
    demo, chat, picture, table, message = handlers.open(None, None)
    assert (chat, picture, table, message) == ([], None, [], NO_PICTURE)
    demo.open(PICTURES[0])
    steps = list(handlers.ask(demo, QUESTION))
    assert len(steps) == 4 and steps[-1][1][1]['content'].count('[SEG]') == 3


def test_a_question_is_followed_through_a_video(glee, tmp_path):
    from demo_image import Question
    from demo_video import VideoDemo

    from projects.glee.visualization.video_writer import VideoWriter
    from projects.glee_cli.serving.turns import Turns
    from projects.glee_cli.serving.uploads import ShortVideo
    writer = VideoWriter(tmp_path / 'a.mp4', 8)
    for _ in range(3):
        writer.write(PICTURES[0].repeat(2, 0).repeat(2, 1))
    writer.close()
    demo = VideoDemo(glee)
    demo.open(ShortVideo(tmp_path / 'a.mp4', Limits()))
    done = demo.track(Question(asked='red square ?'), tmp_path, lambda *_: None, Turns().each)
    assert done.message.endswith('object(s) in 3 frames') and done.video.is_file()
