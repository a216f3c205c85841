"""Streaming a synthetic video: its pictures, and short runs with every tracker."""
import importlib
import sys

import numpy as np
import pytest
from paths import ROOT, config_file


@pytest.fixture(scope='module')
def tool():
    sys.path.insert(0, str(ROOT / 'tools/analysis_tools'))
    yield importlib.import_module('benchmark_video')
    sys.path.pop(0)


@pytest.fixture
def run(tool, monkeypatch, capsys):
    def run(config, *arguments):
        monkeypatch.setattr(sys, 'argv', ['benchmark_video.py', str(config_file(config)),
                                          *map(str, arguments)])
        tool.main()
        return capsys.readouterr().out.splitlines()
    return run


def test_masks_show_where_the_squares_are(tool):
    """Squares move by a few pixels, stay inside, and have the colour of their mask."""
    video, places = tool.WanderingSquares((48, 60), 2), []
    for frame in range(0, 200, 7):
        picture, masks = video.frame(frame), video.masks(frame).numpy()
        assert picture.shape == (3, 48, 60) and picture.dtype == np.uint8
        assert masks.sum((1, 2)).tolist() == [64, 64]
        visible = np.stack([masks[0] & ~masks[1], masks[1]])
        assert all(len(np.unique(picture[:, mask], axis=1).T) <= 1 for mask in visible)
        assert (picture[:, ~masks.any(0)] < 80).all() and (picture[:, masks.any(0)] >= 120).all()
        places.append([np.argwhere(mask)[0] for mask in masks])
    steps = np.abs(np.diff(places, axis=0)).max((0, 2))
    assert (steps > 0).all() and (steps <= 7 * 0.06 * 26 + 1).all()


@pytest.mark.parametrize('config, options', [('glee_mini_ytvis', ()), ('glee_mini_vos', ('--objects', 2)),
                                             ('glee_mini_rvos', ('--names', 'the red square'))])
def test_lines_come_after_so_many_frames(run, config, options):
    """Also where windows do not end there; the last line is the end of the video."""
    out = run(config, '--frames', 10, '--every', 4, '--window', 3, '--size', 64, 64, *options)
    rows = [line.split() for line in out if line.lstrip()[:1].isdigit() and 'frames' not in line]
    assert [int(row[0]) for row in rows] == [6, 9, 10]  # the windows in which frames 4 and 8 lie, and the end
    resident = [float(row[2]) for row in rows]
    assert all(float(row[1]) > 0 for row in rows) and min(resident) > 50
    assert [float(row[3]) for row in rows] == pytest.approx(np.diff([resident[0], *resident]), abs=0.11)
    assert float(out[-2].split(': ')[1].split()[0]) == pytest.approx(resident[-1] - resident[0], abs=0.2)
    tracks = int(out[-1].split()[1])
    assert tracks == {'glee_mini_ytvis': 30, 'glee_mini_vos': 2, 'glee_mini_rvos': 1}[config]


def test_growth_over_the_limit_is_an_error(run):
    with pytest.raises(SystemExit, match='more than -1000000'):
        run('glee_mini_ytvis', '--frames', 2, '--every', 1, '--window', 1, '--size', 64, 64, '--limit', -1000000)
    with pytest.raises(SystemExit, match='not a GLEEVideo'):
        run('glee_mini_coco')
