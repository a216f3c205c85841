"""The page of the demo: how it is built and started; test_browser.py uses it."""
import importlib.util
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from demo_model import tiny_glee
from paths import ROOT

from projects.glee_cli.exits import ConfigError
from projects.glee_cli.serving.limits import Limits

DEMO = ROOT / 'tools/demo'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('demo_tool', DEMO / 'app.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def gradio(tool, monkeypatch):
    """The real one, imported as the tool does it in an environment that says otherwise."""
    monkeypatch.setenv('GRADIO_ANALYTICS_ENABLED', 'True')
    monkeypatch.setenv('HF_HUB_OFFLINE', '0')
    return tool.import_gradio()


def test_the_page(gradio, tmp_path):
    """Names and score come first; Run and Track are the main buttons; three endpoints have names, the rest none."""
    from desk import Desk
    from page import build_page
    assert os.environ['GRADIO_ANALYTICS_ENABLED'] == 'False'
    page = build_page(Desk(tiny_glee(), Limits(waiting=7), names=('a', 'b'), folder=tmp_path))
    assert page.analytics_enabled is False and page.delete_cache and page._queue.max_size == 7
    parts = page.get_config_file()['components']
    shown = [part['props'] for part in parts if part['type'] in ('textbox', 'slider')]
    assert [props['label'] for props in shown[:3]] == ['Names', 'Sentence', 'Lowest score']
    assert shown[0]['value'] == 'a, b'
    main = [part['props']['value'] for part in parts if part['type'] == 'button'
            and part['props'].get('variant') == 'primary']
    assert main == ['Run', 'Track']
    public = [event.api_name for event in page.fns.values() if event.api_visibility == 'public']
    assert public == ['detect', 'segment', 'track']
    assert {event.concurrency_limit for event in page.fns.values()} == {'default'}
    brushes = [part['props']['brush'] for part in parts if part['type'] == 'imageeditor']
    assert brushes and all(
        brush['colors'][0][1] == 0.5 and brush['color_mode'] == 'fixed' for brush in brushes)


def test_a_click_is_answered_twice(gradio, tmp_path):
    """A preview, then the exact answer; the model is free for others between the two."""
    from demo_image import CLICKS, PREVIEW
    from desk import Desk
    from image_tab import ImageHandlers
    desk = Desk(tiny_glee(), folder=tmp_path)
    do = ImageHandlers(desk)
    demo = do.new()
    demo.open(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8))
    do.prepare(demo)
    assert list(demo.session.image.shared) == [('object', )]
    steps = do.click(demo, CLICKS[0], SimpleNamespace(index=(300, 200)))
    shown, picture, table, message = next(steps)
    assert shown is demo and message == PREVIEW and len(table) == 1
    with desk.turns:
        assert demo.session.results() == []
    (_, settled, table, message), = steps
    assert message.startswith('object 1: ') and len(demo.session.results()) == 1 and len(table) == 1
    assert picture.shape == settled.shape and len(list(do.click(None, CLICKS[0], SimpleNamespace(index=(1, 1))))) == 1


def test_files_are_short():
    assert [path.name for path in DEMO.glob('*.py') if len(path.read_text().splitlines()) >= 400] == []


def test_answers_do_not_stay(gradio, tmp_path, monkeypatch):
    """A new folder per answer; those of an hour ago go."""
    from desk import KEPT, Desk
    desk = Desk(None, folder=tmp_path)
    old, new = desk.new_folder(), desk.new_folder()
    os.utime(old, times=(0, os.path.getmtime(old) - KEPT - 9))
    assert desk.new_folder().is_dir() and new.is_dir() and not old.exists()


def test_without_gradio(tool, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    monkeypatch.setenv('GRADIO_ANALYTICS_ENABLED', 'True')
    with pytest.raises(ConfigError, match=r'pip install -e "\.\[demo\]"'):
        tool.import_gradio()


@pytest.mark.parametrize('options', [['--max-frames', '0'], ['--whisper', 'nowhere'], ['--examples', 'nowhere']])
def test_impossible_options_are_refused(tool, monkeypatch, capsys, tmp_path, options):
    (tmp_path / 'weights.pth').touch()
    monkeypatch.setattr(sys, 'argv', ['app.py', 'glee_mini', str(tmp_path / 'weights.pth'), *options])
    with pytest.raises(SystemExit):
        tool.parse_args()
    assert options[0] in capsys.readouterr().err


def test_examples(tool, gradio, tmp_path, monkeypatch):
    """Photographs that other packages brought, or one's own; copies, since a page shows files of its folder alone."""
    monkeypatch.setattr(sys, 'argv', ['app.py', 'glee_mini', __file__, '--names', 'cat'])
    args = tool.parse_args()
    shown = tool.example_pictures(args, tmp_path)
    assert len(shown) >= 4 and all(path.parent == tmp_path and path.is_file() and names for path, names in shown)
    args.examples = str(ROOT / 'docs')
    shown = tool.example_pictures(args, tmp_path)
    assert shown and {names for _, names in shown} == {'cat'}
