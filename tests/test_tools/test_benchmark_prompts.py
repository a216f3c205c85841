"""Times of prompted objects with the mini model: every part is there and the ratios are those of the printed times."""
import importlib
import sys

import pytest
from paths import ROOT


@pytest.fixture
def run(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / 'tools/analysis_tools'))
    tool = importlib.import_module('benchmark_prompts')

    def run(*arguments):
        config = str(ROOT / 'configs/glee/_base_/models/glee_mini.py')
        monkeypatch.setattr(sys, 'argv', ['benchmark_prompts.py', config, *map(str, arguments)])
        tool.main()
        return capsys.readouterr().out.splitlines()
    return run


def test_parts_and_ratios(run):
    """Two objects: all times are positive and the ratios follow from them (one run each: no time is bounded)."""
    lines = run('--size', 64, '--objects', 2, '--repeats', 1)
    start = next(index for index, line in enumerate(lines) if line.startswith('image 64 px, 2 objects'))
    times = [float(line.split()[-2]) for line in lines[start + 1:start + 6] if line.endswith(' s')]
    backbone, template, one_round, together, apart = times
    assert min(times) > 0
    shared, later = [float(line.split()[-1]) for line in lines[start + 6:start + 8]]
    assert 'one call / separate calls' in lines[start + 6] and 'later round / first round' in lines[start + 7]
    # times are printed in ms and ratios in hundredths
    assert shared == pytest.approx(together / apart, abs=0.05) and shared > 0
    assert later == pytest.approx(one_round / (backbone + one_round), abs=0.05) and 0 < later < 1
    assert float(lines[start + 8].split()[-2]) == pytest.approx(100 * template / one_round, abs=6)


def test_impossible_sizes_are_refused(run):
    with pytest.raises(SystemExit):
        run('--objects', 0)
