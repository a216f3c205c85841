"""tools/benchmark.py: killed and started again, several processes, missing files, what it writes."""
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from config_runs import load
from mmdet.registry import MODELS
from paths import ROOT, config_file
from rich.console import Console
from tool_runner import run_tool

from projects.glee.engine.checkpoints.model_size import guess_model_size
from projects.glee_cli.benchmark import read_benchmarks, select
from projects.glee_cli.benchmark.member_run import STAMP, MemberRun
from projects.glee_cli.benchmark.screen import Screen
from projects.glee_cli.benchmark.suite_run import DONE, RUNNING, plan


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """A checkpoint of the small model that has learned nothing."""
    folder = tmp_path_factory.mktemp('weights')
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(load('glee_mini_coco', folder).model).state_dict()), folder / 'mini.pth')
    return folder / 'mini.pth'


@pytest.fixture
def start(fork_server, world, weights, tmp_path):
    """The program in a process of its own, whose runs are forks."""
    def begin(folder, *words, **environment):
        environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1',
                           GLEE_PYTHON=str(fork_server.python), **environment)
        return subprocess.Popen(
            [sys.executable, 'tools/benchmark.py', 'smoke', '--checkpoint', weights, '--work-dir', tmp_path / folder,
             '--data-root', world, *words],
            cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    return begin


def read(folder):
    """The JSON table by benchmark."""
    content = json.loads((folder / 'benchmark_smoke.json').read_text())
    return {row['benchmark']: row for row in content['rows']}


def wait_for(path, process):
    limit = time.time() + 300
    while not path.exists() and time.time() < limit:
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_and_started_again_nothing_is_computed_twice(start, tmp_path):
    """Killed with -9 in the second of two rows; the second program runs that one alone."""
    words = ['--only', 'coco-val', 'ytvis19']
    process = start('killed', *words)
    first = tmp_path / 'killed/coco-val' / STAMP
    wait_for(first, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = (first.stat().st_mtime_ns, first.read_text())
    assert not (tmp_path / 'killed/ytvis19' / STAMP).exists()
    process = start('killed', *words)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    assert 'coco-val: done (finished before)' in output and 'ytvis19: done  AP' in output
    assert (first.stat().st_mtime_ns, first.read_text()) == before
    rows = read(tmp_path / 'killed')
    assert [row['state'] for row in rows.values()] == ['done', 'done']
    for row in rows.values():
        assert all(number['ours'] is not None and number['paper'] is None for number in row['numbers'])
        assert row['seconds'] > 0 and row['memory_mib'] > 10 and row['missing'] == []
    table = (tmp_path / 'killed/benchmark_smoke.md').read_text()
    assert len([line for line in table.splitlines() if line.startswith('|')]) == 2 + 2 + 3
    page = (tmp_path / 'killed/benchmark_smoke.html').read_text()
    ElementTree.fromstring(page.replace('<!DOCTYPE html>', '').replace('<meta charset="utf-8">', '').replace(
        '<br>', '<br/>').replace('loading="lazy">', '/>').replace('alt="two curves">', '/>'))
    assert 'href="coco-val/report.html"' in page and 'src="coco-val/' in page
    assert rows['coco-val']['all_metrics'].keys() >= {'coco/bbox_mAP', 'coco/segm_mAP_50'}


@pytest.mark.parametrize('name, goes_on', [('ytvis', True), ('revos', True), ('interactive', True), ('coco', False)])
def test_rows_of_videos_and_clicks_go_on_in_the_middle(name, goes_on, tmp_path):
    """Where a config can keep what is finished, the run of a row does, in the folder of its settings."""
    cfg = load(f'glee_mini_{name}', tmp_path)
    run = MemberRun(config=config_file(f'glee_mini_{name}'), options={}, checkpoint='mini.pth', digest='',
                    folder=tmp_path, pictures=False, python='python')
    assert (f'resume_dir={tmp_path}/finished_a1' in run.command(cfg, 'a1', 'none')) == goes_on


@pytest.mark.slow
def test_two_processes_give_the_numbers_of_one(start, tmp_path):
    """Pictures, windows of videos and rounds of clicks."""
    words = ['--only', 'coco-val', 'interactive', 'ytvis19']
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    both = [start('two', *words, '--launcher', 'pytorch', RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2',
                  MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port)) for rank in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    alone = start('one', *words)
    output = alone.communicate()[0]
    assert alone.returncode == 0, output
    one, two = (read(tmp_path / folder) for folder in ('one', 'two'))
    assert one.keys() == two.keys() and len(one) == 3
    for name in one:
        assert two[name]['all_metrics'] == pytest.approx(one[name]['all_metrics'], abs=1e-12), name
    assert '3 of 3 benchmarks done' in outputs[0] and outputs[1] == ''


def test_missing_files_are_named_before_anything_runs(weights, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run_tool('benchmark.py', 'image', '--checkpoint', weights, '--work-dir', tmp_path / 'work', '--data-root',
                 tmp_path / 'nothing', '--only', 'coco-val', 'openimages', '--check')
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert f'coco-val: missing\n    {tmp_path}/nothing/coco/val2017/, ' in said and '(cocodataset.org)' in said
    assert 'openimages_to_coco.py' in said and '0 of 2 benchmarks have all their files' in said
    assert not (tmp_path / 'work').exists()
    with pytest.raises(SystemExit):
        run_tool('benchmark.py', 'image', '--checkpoint', weights, '--work-dir', tmp_path / 'work', '--data-root',
                 tmp_path / 'nothing', '--only', 'coco-val')
    table = (tmp_path / 'work/benchmark_image.md').read_text()
    assert '| coco-val | box AP |' in table and 'no data: ' in table and 'cocodataset.org' in table


@pytest.mark.parametrize('words, message', [
    (['--checkpoint', 'none.pth'], '--checkpoint none.pth is no file'),
    (['--checkpoint', str(ROOT / 'setup.cfg'), '--size', 'r50', '--only', 'coco'], '--only coco: choose from coco-val'),
    (['--checkpoint', str(ROOT / 'setup.cfg')], 'setup.cfg was refused'),
    (['--checkpoint', str(ROOT / 'setup.cfg'), '--size', 'r50', '--launcher', 'slurm'], 'SLURM_PROCID is not set')])
def test_mistakes_are_one_line(words, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run_tool('benchmark.py', 'image', '--work-dir', tmp_path, *words)
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and len(lines) == 1 and message in lines[0]


def test_a_run_that_fails_is_a_row_that_says_so(world, weights, tmp_path, capsys):
    """Its last words are in the table, the rest goes on."""
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\necho out of luck\nexit 3\n')
    python.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setenv('GLEE_PYTHON', str(python))
        run_tool('benchmark.py', 'smoke', '--checkpoint', weights, '--work-dir', tmp_path / 'work',
                 '--data-root', world, '--only', 'coco-val')
    assert end.value.code == 3
    assert 'failed, see coco-val/output.log: out of luck' in capsys.readouterr().out
    assert read(tmp_path / 'work')['coco-val']['state'] == 'failed'


def test_the_table_on_a_terminal(world, weights, tmp_path):
    """A line for each row: what runs and how far it is, what is done with its numbers, what has no data."""
    suite = plan(select(read_benchmarks(), 'smoke', ['coco-val', 'lvis', 'uvo']), 'mini', 2, str(weights), tmp_path,
                 'smoke', dict(data_root=f'{tmp_path}/nothing/'), False, sys.executable)
    coco, lvis, uvo = suite
    coco.state = DONE
    coco.stamp = dict(metrics={'coco/bbox_mAP': 0.1234}, seconds=65., memory_mib=2048, memory_of='gpu')
    lvis.state, lvis.progress, lvis.seconds = RUNNING, '3/40', 7.
    console = Console(file=io.StringIO(), force_terminal=True, width=150, color_system=None)
    screen = Screen('mini', console)
    with screen:
        screen(suite)
    shown = console.file.getvalue()
    for text in ('box AP 12.3', '1 min 05 s', '2.0 GiB (GPU)', 'running 3/40', '7 s', 'no data'):
        assert text in shown, text
    assert uvo.missing and f'{tmp_path}/nothing/UVO' in uvo.missing[0]['path']


def test_sizes_are_known_by_the_weights(official_lite, glee_lite, weights, tmp_path):
    torch.save(official_lite, tmp_path / 'official.pth')
    torch.save(glee_lite.state_dict(), tmp_path / 'ours.pth')
    torch.save(dict(x=torch.zeros(1)), tmp_path / 'other.pth')
    assert guess_model_size(str(weights)) == 'mini'
    assert guess_model_size(str(tmp_path / 'official.pth')) == guess_model_size(str(tmp_path / 'ours.pth')) == 'r50'
    assert guess_model_size(str(tmp_path / 'other.pth')) is None
    assert Path(weights).is_file()
