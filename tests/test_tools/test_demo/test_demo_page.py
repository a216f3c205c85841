"""The page of the demo: it is built, its buttons reach the handlers, it stays on this machine."""
import importlib.util
import inspect
import os
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from demo_image import ImageDemo
from demo_video import VideoDemo
from mini_video import video_model
from paths import ROOT

TOOL = ROOT / 'tools/demo/app.py'
ARGS = Namespace(vocabulary=['circle', 'star'], stuff=['sky'], whisper=None, scale=[96, 64], carve_radius=0.,
                 max_frames=5)
SHAPE = (60, 90)


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('demo_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def glee():
    return video_model(dict(type='PromptTracker'))


@pytest.fixture
def gradio(tool, monkeypatch):
    """The real one, imported as the tool does it in an environment that says otherwise."""
    monkeypatch.setenv('GRADIO_ANALYTICS_ENABLED', 'True')
    monkeypatch.setenv('HF_HUB_OFFLINE', '0')
    return tool.import_gradio()


def editor(seed=0):
    """Value of an image editor: RGBA picture, a painted layer and an empty one."""
    picture = np.random.default_rng(seed).integers(0, 256, (*SHAPE, 4), dtype=np.uint8)
    layer = np.zeros_like(picture)
    layer[10:14, 20:40] = (0, 192, 64, 255)
    return dict(background=picture, layers=[layer, layer * 0], composite=picture)


def test_the_app_builds(tool, gradio, glee):
    """Three tabs; the buttons share one place in the queue; nothing leaves the machine."""
    assert os.environ['GRADIO_ANALYTICS_ENABLED'] == 'False'
    app = tool.build_app(gradio, glee, ARGS)
    assert isinstance(app, gradio.Blocks) and app.analytics_enabled is False
    parts = app.get_config_file()['components']
    assert [part['props']['label'] for part in parts if part['type'] == 'tabitem'] == ['Image', 'Reference', 'Video']
    buttons = {part['props']['value'] for part in parts if part['type'] == 'button'}
    assert buttons == {'Run', 'Undo', 'Reset', 'Save masks', 'Follow', 'Add or correct', 'Track'}
    assert {event.concurrency_id for event in app.fns.values()} == {'model'}
    assert len(app.fns) == 10


def test_every_button_gives_what_its_handler_takes(tool, glee):
    """Without gradio: a stand-in records the components and events of the page."""
    page = mock.MagicMock()
    tool.build_app(page, glee, ARGS)
    events = [*page.Button.return_value.click.call_args_list, *page.Video.return_value.change.call_args_list,
              *page.Slider.return_value.release.call_args_list]
    assert len(events) == 10
    for event in events:
        handler, inputs, _ = event.args
        inspect.signature(handler).bind(*inputs)  # a TypeError if the numbers differ
        assert event.kwargs == dict(concurrency_id='model', concurrency_limit=1)
    assert page.Blocks.call_args.kwargs['analytics_enabled'] is False


def test_values_of_the_page_reach_the_handlers(tool, glee):
    """Rate and samples change places, names are split, a page without a state gets its own."""
    given = tool.read_input(editor(), 'box', None, 'x', (8000, np.ones(3)), 'a, b', '')
    assert given.audio[1] == 8000 and given.names == ('a', 'b') and given.example is None and len(given.layers) == 2
    state, picture, table, message = tool.run_image(
        lambda: ImageDemo(glee, scale=(96, 64)), None, ['Stroke'], 1, 0., editor(), 'scribble', None, '', None, '', '')
    assert isinstance(state, ImageDemo) and picture.shape == (*SHAPE, 3) and len(table) == 1 and '1 object' in message
    files = tool.save_image(state)
    assert [Path(file).name for file in files] == ['masks.png', 'masks.json'] and tool.save_image(None) is None
    assert tool.change_image('undo', None, state)[2] == []


def test_a_video_on_the_page(tool, glee, tmp_path):
    """Opened, shown, painted, tracked and reset; the result is a file."""
    source = tool.write_video(list(np.random.default_rng(0).integers(0, 256, (3, *SHAPE, 3), np.uint8)),
                              tmp_path / 'x.webm')
    state, picture, slider, nothing, _, message = tool.open_video(
        SimpleNamespace(Slider=Namespace), lambda: VideoDemo(glee, scale=(96, 64)), None, str(source))
    assert picture.shape == (*SHAPE, 3) and slider.maximum == 2 and nothing is None and message == '3 frames'
    assert tool.show_frame(None, state, 1)[1].shape == (*SHAPE, 3)
    _, picture, _, message = tool.prompt_video(None, state, ['Stroke'], editor(), 'scribble', None)
    assert picture.shape == (*SHAPE, 3) and message.startswith('1 object(s) added or corrected on frame 1')
    _, video, _, message = tool.track_video(None, state)
    assert Path(video).stat().st_size > 0 and message == '1 object(s) in 3 frames'
    assert tool.reset_video(None, state)[2] == []
    nothing = tool.run_reference(lambda: tool.ReferenceDemo(glee, scale=(96, 64)), None, None, 'box', None, 'none', 0.)
    assert nothing[1] is None


def test_without_gradio(tool, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    monkeypatch.setenv('GRADIO_ANALYTICS_ENABLED', 'True')
    with pytest.raises(SystemExit, match=r'pip install -e "\.\[demo\]"'):
        tool.import_gradio()


@pytest.mark.parametrize('options', [['--port', '0'], ['--max-frames', '0'], ['--whisper', 'nowhere']])
def test_impossible_options_are_refused(tool, monkeypatch, capsys, options):
    monkeypatch.setattr(sys, 'argv', ['demo.py', 'config.py', 'weights.pth', *options])
    with pytest.raises(SystemExit):
        tool.parse_args()
    assert options[0] in capsys.readouterr().err
