"""The curve of many names: different texts, a table, pictures, points that would take too long."""
import json
import mmap
import runpy
import time

import pytest
from paths import TOOLS
from tool_runner import run_tool


def module():
    return runpy.run_path(str(TOOLS / 'analysis_tools/many_names.py'))


def test_texts_are_different_and_as_many_as_wanted():
    tool = module()
    for count in (1, 1203, 10000):
        assert len(set(tool['names_of'](count))) == len(set(tool['expressions_of'](count))) == count
    assert tool['names_of'](3) == tool['names_of'](1203)[:3]
    with pytest.raises(ValueError, match='names, not 1000000'):
        tool['names_of'](1000000)


def touch(size):
    """Pages of this process, MiB, all written to."""
    pages = mmap.mmap(-1, size * 2**20)
    for start in range(0, len(pages), mmap.PAGESIZE):
        pages[start] = 1
    return pages


def test_peaks_of_this_process():
    """Mapped by hand: what the allocator frees it may keep and give out again, which raises nothing."""
    memory = module()['Memory']('cpu')
    touch(80).close()  # MiB, an earlier peak
    memory.start()
    small = touch(40)
    time.sleep(0.1)
    small.close()
    assert 39 < memory.peak() < 60


def test_points_too_long_are_left_out():
    tool, asked = module(), []
    points = list(tool['measure'](lambda kind, texts: asked.append(len(texts)), 'names', (1, 4, 2000), 2, 1e-9,
                                  tool['Memory']('cpu'), lambda: None))
    assert asked == [1] * 3 and points[0].picture >= 0
    assert [point.picture for point in points[1:]] == [None, None]
    assert points[2].expected == pytest.approx(2000 * points[0].picture)
    assert 'left out: a picture would take about' in tool['as_markdown'](points, '')


def test_it_writes_a_table_and_pictures(tmp_path, capsys):
    run_tool('analysis_tools/many_names.py', '--model', 'glee_mini', '--names', 1, 40, '--expressions', 2,
             '--repeats', 1, '--device', 'cpu', '--out', tmp_path)
    content = json.loads((tmp_path / 'many_names.json').read_text())
    assert [(point['kind'], point['count']) for point in content['points']] == [
        ('names', 1), ('names', 40), ('expressions', 2)]
    assert all(point['picture'] > 0 for point in content['points'])
    assert (tmp_path / 'many_names.md').read_text() in capsys.readouterr().out
    assert all((tmp_path / f'many_names.{kind}').stat().st_size > 5000 for kind in ('svg', 'png'))
