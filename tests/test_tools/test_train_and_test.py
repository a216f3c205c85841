"""tools/train.py and tools/test.py, run in this process."""
import runpy
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from unittest import mock

import pytest
import torch
from paths import HELPERS, ROOT
from toy_training import CONFIG, Payload, ToyDataset

from projects.glee.engine.checkpoints import read_checkpoint
from projects.glee.engine.runner import run_config
from projects.glee.engine.runner.run_config import load_config, set_amp
from projects.glee_cli.exits import MISSING_DATA, WRONG_USE

TOOLS = ROOT / 'tools'


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a tool on the toy config: run('train.py', option, ...)."""
    (tmp_path / 'toy_data').mkdir()
    (tmp_path / 'toy_data' / 'list.json').write_text('{}')
    (tmp_path / 'toy.py').write_text(CONFIG)
    monkeypatch.chdir(tmp_path)

    def call(tool, *arguments):
        monkeypatch.setattr(sys, 'argv', [tool, 'toy.py', *map(str, arguments)])
        return runpy.run_path(str(TOOLS / tool), run_name='__main__')

    return call


def arguments(tmp_path, **kwargs):
    (tmp_path / 'toy.py').write_text(CONFIG)
    return Namespace(**{**dict(config=str(tmp_path / 'toy.py'), cfg_options={}, local_rank=0,
                               launcher='none', work_dir=None), **kwargs})


def test_train_resume_and_test(run, tmp_path, capsys):
    run('train.py', '--amp', '--cfg-options', 'train_cfg.max_iters=2', 'experiment_name=a')
    assert 'none is here: running in float32' in capsys.readouterr().out
    first = read_checkpoint('work_dirs/toy/iter_2.pth')
    run('train.py', '--resume', '--cfg-options', 'experiment_name=b')
    last = read_checkpoint('work_dirs/toy/iter_4.pth')
    assert last['meta']['iter'] == 4 and first['meta']['iter'] == 2
    assert last['state_dict']['weight'] > first['state_dict']['weight'] > 0
    run('test.py', 'work_dirs/toy/iter_4.pth', '--work-dir', 'elsewhere', '--cfg-options',
        'experiment_name=c')
    assert f'toy/weight: {last["state_dict"]["weight"]:.4f}' in capsys.readouterr().out
    assert list(Path('elsewhere').iterdir())


@pytest.mark.parametrize('options, resume, load_from, anyway', [
    ([], False, 'start.pth', False), (['--resume'], 'auto', 'start.pth', False),
    (['--resume', 'x.pth', '--resume-anyway'], True, 'x.pth', True)])
def test_options_of_resuming(run, monkeypatch, options, resume, load_from, anyway):
    runners = []
    torch.save(dict(state_dict=dict(weight=torch.ones(()), bias=torch.ones(3))), 'start.pth')
    Path('x.pth').write_bytes(Path('start.pth').read_bytes())
    monkeypatch.setattr(run_config, 'build_runner', lambda cfg: runners.append(cfg) or mock.Mock())
    run('train.py', *options, '--cfg-options', 'load_from=start.pth')
    cfg, = runners
    assert (cfg.get('resume', False), cfg.load_from, cfg.get('resume_anyway', False)) == (resume, load_from, anyway)


def test_bad_checkpoints_are_refused_before_the_model_is_built(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_config, 'build_runner', None)
    torch.save(dict(state_dict=dict(weight=torch.ones(()))), 'wrong.pth')
    torch.save(dict(state_dict=dict(weight=torch.ones(3), bias=torch.ones(3))), 'large.pth')
    torch.save(dict(state_dict=Payload(tmp_path / 'executed')), 'bad.pth')
    for tool, options, code, message in (
            ('test.py', ['nowhere.pth'], MISSING_DATA, 'checkpoint  ./nowhere.pth'),
            ('train.py', ['--resume', 'nowhere.pth'], MISSING_DATA, 'checkpoint  ./nowhere.pth'),
            ('train.py', ['--cfg-options', 'load_from=wrong.pth'], WRONG_USE, '1 missing: bias'),
            ('test.py', ['wrong.pth'], WRONG_USE, '1 missing: bias'),
            ('test.py', ['large.pth'], WRONG_USE, 'size mismatch for weight'),
            ('test.py', ['bad.pth'], WRONG_USE, 'bad.pth was refused'),
            ('train.py', ['--resume', 'bad.pth'], WRONG_USE, 'bad.pth was refused')):
        with pytest.raises(SystemExit) as stop:
            run(tool, *options)
        assert stop.value.code == code and message in capsys.readouterr().err
    with pytest.raises(ValueError, match='1 missing: bias'):
        run('test.py', 'wrong.pth', '--debug')
    assert not (tmp_path / 'executed').exists()


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_an_option_that_fits_nowhere_is_one_line(run, tool, capsys):
    checkpoint = [] if tool == 'train.py' else ['x.pth']
    with pytest.raises(SystemExit) as stop:
        run(tool, *checkpoint, '--cfg-options', 'max_iter=2')
    line, = capsys.readouterr().err.splitlines()
    assert stop.value.code == WRONG_USE and line.startswith('error: --cfg-options max_iter: ') and 'max_iters' in line


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_a_file_that_cannot_be_used_is_one_line(run, tool, capsys, monkeypatch):
    def broken(self):
        raise ValueError('list.json: row 3 of `images` has no id')

    monkeypatch.setattr(ToyDataset, 'load_data_list', broken)
    torch.save(dict(state_dict=dict(weight=torch.ones(()), bias=torch.ones(3))), 'x.pth')
    options = ['x.pth'] * (tool == 'test.py') + ['--cfg-options', f'experiment_name=broken_{tool}']
    with pytest.raises(SystemExit) as stop:
        run(tool, *options)
    assert stop.value.code == WRONG_USE
    assert capsys.readouterr().err == 'error: list.json: row 3 of `images` has no id\n'
    with pytest.raises(ValueError, match='row 3'):
        run(tool, *options[:-2], '--debug', '--cfg-options', f'experiment_name=debugged_{tool}')


def test_out_must_be_a_pickle(run, capsys):
    with pytest.raises(SystemExit):
        run('test.py', 'x.pth', '--out', 'predictions.txt')
    assert 'predictions.txt: the name must end in .pkl' in capsys.readouterr().err


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_help_shows_an_example(run, capsys, tool):
    with pytest.raises(SystemExit) as stop:
        run(tool, '--help')
    assert stop.value.code == 0
    assert f'python tools/{tool} configs/glee/' in capsys.readouterr().out


@pytest.mark.parametrize('data_root', ['elsewhere/', 'elsewhere'])
def test_data_root_moves_everything_that_refers_to_it(tmp_path, data_root):
    cfg = load_config(arguments(tmp_path, cfg_options=dict(data_root=data_root)))
    assert cfg.train_dataloader.dataset.data_root == 'elsewhere/'
    assert cfg.work_dir == 'work_dirs/toy' and cfg.filename.endswith('toy.py')


def test_amp_follows_the_machine(tmp_path, monkeypatch):
    cfg = load_config(arguments(tmp_path))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    set_amp(cfg, wanted=False)
    assert cfg.optim_wrapper.type == 'OptimWrapper'
    set_amp(cfg, wanted=True)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.loss_scale == 'dynamic'
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    set_amp(cfg, wanted=False)  # a config that asks for it
    assert cfg.optim_wrapper.type == 'OptimWrapper' and 'loss_scale' not in cfg.optim_wrapper


@pytest.mark.slow
def test_two_processes_without_gpu_train_as_one(run, fork_server, tmp_path, monkeypatch):
    (tmp_path / 'toy.py').write_text(CONFIG + "custom_imports = dict(imports=['toy_training'])")
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    monkeypatch.setenv('PYTHONPATH', f'{ROOT}:{HELPERS}')
    monkeypatch.setenv('PYTHON_EXEC', str(fork_server.python))  # torchrun's own way to name python
    subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
         str(TOOLS / 'train.py'), 'toy.py', '--launcher', 'pytorch'], check=True)
    run('train.py', '--work-dir', 'one', '--cfg-options', 'experiment_name=f',
        'train_dataloader.batch_size=4')
    two, one = read_checkpoint('work_dirs/toy/iter_4.pth'), read_checkpoint('one/iter_4.pth')
    torch.testing.assert_close(two['state_dict'], one['state_dict'], rtol=0, atol=1e-6)


def test_other_launchers_without_gpu_are_refused(run, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(SystemExit):
        run('train.py', '--launcher', 'slurm')
    assert '--launcher slurm needs GPUs' in capsys.readouterr().err
