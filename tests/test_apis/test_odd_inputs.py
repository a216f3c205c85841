"""Odd pictures and texts through the inferencer and the command line: results or clear errors."""
import json
import re

import numpy as np
import pytest
import torch
from config_runs import load
from odd_pictures import encoded, pixels, write_odd_pictures
from PIL import Image

from projects.glee.apis import GLEEInferencer
from projects.glee_cli.exits import OK, SOME_FAILED, WRONG_USE
from projects.glee_cli.program import main

SMALL = {'PillowResize.scale': (400, 32), 'model.panoptic_head.num_queries': 5}


@pytest.fixture(scope='module')
def cfg(tmp_path_factory):
    return load('glee_mini_coco', tmp_path_factory.mktemp('work'), **SMALL)


@pytest.fixture(scope='module')
def glee(cfg):
    torch.manual_seed(0)
    return GLEEInferencer(cfg, device='cpu', score_thr=0.)


@pytest.fixture(scope='module')
def odd(tmp_path_factory):
    """A folder of 200 odd files and how many of them are pictures."""
    path = tmp_path_factory.mktemp('odd') / 'pictures'
    return path, write_odd_pictures(path)


def test_odd_pictures_give_results_or_are_named(glee, odd):
    folder, readable = odd
    results = glee(folder, names=['star'], show_progress=False)
    assert (len(results), len(results.errors)) == (readable, 200 - readable)
    for result in results:
        assert np.isfinite(result.boxes).all() and np.isfinite(result.scores).all() and len(result) == 5
        assert all(rle['size'] == list(result.shape) for rle in result.rles)
    for name, message in results.errors.items():
        assert message.startswith(name) and 'cannot be read as a picture' in message and '\n' not in message
    by_name = {result.path.rpartition('/')[2]: result for result in results}
    assert by_name['size_8000x20.png'].shape == (20, 8000) and by_name['turned_6.jpg'].shape == (12, 8)


def test_odd_pictures_through_the_command_line(cfg, glee, odd, tmp_path, capsys):
    folder, readable = odd
    cfg.dump(tmp_path / 'small.py')
    torch.save(dict(state_dict=glee.model.state_dict()), tmp_path / 'small.pth')
    code = main(['predict', str(folder), '--names', 'star', '--model', str(tmp_path / 'small.py'), '--weights',
                 str(tmp_path / 'small.pth'), '--out', str(tmp_path / 'out'), '--json', str(tmp_path / 'out.json')])
    shown = capsys.readouterr()
    assert code == SOME_FAILED and 'Traceback' not in shown.err, shown.err
    assert shown.err.count('left out: ') == 200 - readable
    assert len(list((tmp_path / 'out').iterdir())) == readable
    assert len(json.loads((tmp_path / 'out.json').read_bytes())) == readable


LONG = 'the star that ' + 'moves left and ' * 680
TEXTS = [
    (['\N{GRINNING FACE}\N{FAMILY}'], None), ([LONG], None), ([f'name {k}' for k in range(500)], None),
    (['star', 'star'], None), (['\u0645\u0631\u062d\u0628\u0627', '\u661f'], None), (['a\nb\tc'], None),
    (['a\0b'], None), (['1', '-', '%s{}'], None), (['\ud800'], 'no text'), ([], 'is empty'), ([''], 'empty string'),
    (['star', ' '], 'empty string'), (None, 'say what to look for'), ([1], 'give a name or a list of names'),
    (b'star', 'names'), ('', 'empty')]


@pytest.mark.parametrize('names, message', TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize('what', ['names', 'expressions'])
def test_odd_texts(glee, names, message, what):
    call = {} if names is None else {what: names}
    if message is not None:
        with pytest.raises(ValueError, match=re.escape(message) if message != 'names' else what):
            glee(pixels(20, 20), **call)
        return
    result, = glee(pixels(20, 20), **call)
    assert set(result.names) <= set(names) and np.isfinite(result.scores).all()
    assert json.loads(result.to_json()) is not None


@pytest.mark.parametrize('words, code', [
    (['--names', ''], WRONG_USE), (['--names'], WRONG_USE), (['--expressions', LONG], OK),
    (['--names', '\N{GRINNING FACE}', *map(str, range(500))], OK), (['--point', 'nan', '1'], WRONG_USE),
    (['--point', '1e9', '1'], WRONG_USE), (['--box', '9', '9', '1', '1'], WRONG_USE), (['--text', ''], WRONG_USE)])
def test_odd_words_on_the_command_line(cfg, glee, tmp_path, capsys, words, code):
    cfg.dump(tmp_path / 'small.py')
    torch.save(dict(state_dict=glee.model.state_dict()), tmp_path / 'small.pth')
    (tmp_path / 'one.png').write_bytes(encoded(Image.fromarray(pixels(20, 20)), 'PNG'))
    try:
        ended = main(['predict', str(tmp_path / 'one.png'), *words, '--model', str(tmp_path / 'small.py'), '--weights',
                      str(tmp_path / 'small.pth'), '--out', str(tmp_path / 'out')])
    except SystemExit as end:  # of argparse
        ended = end.code
    shown = capsys.readouterr().err
    assert ended == code and 'Traceback' not in shown and len(shown) < 2000, shown
