"""Whatever stops a training at whatever step of a checkpoint, nothing good is lost and resuming is exact."""
import os
import re
import resource
import shutil
from pathlib import Path

import pytest
import torch
from logs import captured_log
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from toy_training import make_runner

from projects.glee.engine.checkpoints import read_checkpoint
from projects.glee.engine.checkpoints.durable_files import is_complete

KEEP_ONE = {'default_hooks.checkpoint.max_keep_ckpts': 1}
VALIDATION = dict(
    val_dataloader=dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                        dataset=dict(type='ToyDataset', test_mode=True)),
    val_evaluator=dict(type='ToyMetric'), val_cfg=dict(), **{
        'train_cfg.val_interval': 2, 'default_hooks.checkpoint.save_best': 'toy/weight',
        'default_hooks.checkpoint.rule': 'greater'})


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the product catches it."""


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file() and not path.suffix == '.py')


def weight(path):
    return read_checkpoint(path)['state_dict']['weight']


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Weights of an uninterrupted training after 2, 4, 6 and 8 iterations."""
    init_default_scope('mmdet')
    folder = tmp_path_factory.mktemp('whole')
    make_runner(folder / 'run', **{'train_cfg.max_iters': 8}).train()
    return {number: weight(folder / f'run/iter_{number}.pth') for number in (2, 4, 6, 8)}


def killing(monkeypatch, function, nth=None, name='/'):
    """Die in the ``nth`` call of ``os.replace``, ``os.fsync`` or ``Path.unlink``, or of one on ``name``."""
    owner = Path if function == 'unlink' else os
    real, calls = getattr(owner, function), []

    def call(*args, **kwargs):
        calls.append(args)
        if len(calls) == nth or args[-1] == name:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, function, call)


@pytest.mark.parametrize('function, nth', [
    *(('fsync', nth) for nth in range(1, 9)), *(('replace', nth) for nth in range(1, 5)),
    *(('unlink', nth) for nth in (1, 2))])
def test_killed_at_every_step_and_resumed(tmp_path, whole, monkeypatch, function, nth):
    """Of each checkpoint: data to disk, rename, folder to disk, the same of last_checkpoint, removal of the older."""
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killing(patch, function, nth)
        make_runner(tmp_path / 'run', **KEEP_ONE, **{'train_cfg.max_iters': 8}).train()
    before = [name for name in files(tmp_path / 'run') if name.endswith('.pth')]
    assert all(is_complete(tmp_path / 'run' / name) for name in before)
    assert before or (function, nth) in (('fsync', 1), ('replace', 1))
    rest = make_runner(tmp_path / 'run', **KEEP_ONE, **{'train_cfg.max_iters': 8}, resume=True)
    rest.load_or_resume()
    assert rest.iter == max([int(re.search(r'\d+', name)[0]) for name in before], default=0)
    rest._has_loaded = False
    rest.train()
    assert torch.equal(rest.model.weight, whole[8])
    assert files(tmp_path / 'run') == ['iter_8.pth', 'last_checkpoint']
    assert (tmp_path / 'run/last_checkpoint').read_text() == 'iter_8.pth'


@pytest.mark.parametrize('spoil', [
    lambda folder: (folder / 'last_checkpoint').unlink(),
    lambda folder: (folder / 'last_checkpoint').write_text(''),
    lambda folder: (folder / 'last_checkpoint').write_text('/nowhere/iter_2.pth'),
])
def test_a_moved_folder_and_a_wrong_pointer(tmp_path, whole, spoil):
    make_runner(tmp_path / 'run').train()
    (tmp_path / 'run').rename(tmp_path / 'moved')
    spoil(tmp_path / 'moved')
    rest = make_runner(tmp_path / 'moved', resume=True, **{'train_cfg.max_iters': 8})
    rest.train()
    assert rest.model.calls == 4 and torch.equal(rest.model.weight, whole[8])


def test_damaged_files_are_named_passed_over_and_kept(tmp_path, whole):
    make_runner(tmp_path / 'run', **{'train_cfg.max_iters': 6}).train()
    content = (tmp_path / 'run/iter_6.pth').read_bytes()[:-50]
    (tmp_path / 'run/iter_6.pth').write_bytes(content)
    with captured_log() as messages:
        rest = make_runner(tmp_path / 'run', resume=True, **{'train_cfg.max_iters': 8})
        rest.train()
    assert any('damaged' in message and 'iter_6.pth' in message for message in messages)
    assert rest.model.calls == 4 and torch.equal(rest.model.weight, whole[8])
    assert (tmp_path / 'run/iter_6.pth.damaged').read_bytes() == content
    assert torch.equal(weight(tmp_path / 'run/iter_6.pth'), whole[6])


def test_nothing_complete_is_an_error_and_nothing_at_all_a_start(tmp_path, whole):
    make_runner(tmp_path / 'run', resume=True).train()
    for path in (tmp_path / 'run').glob('*.pth'):
        path.write_bytes(b'half')
    with pytest.raises(ValueError, match=r'no complete checkpoint, only iter_4\.pth, iter_2\.pth: move them away'):
        make_runner(tmp_path / 'run', resume=True).train()
    assert (tmp_path / 'run/iter_4.pth').read_bytes() == b'half'


def test_resume_auto_starts_from_load_from_once(tmp_path):
    torch.save(dict(weight=torch.ones(()), bias=torch.zeros(3)), tmp_path / 'start.pth')
    start = dict(load_from=str(tmp_path / 'start.pth'), resume='auto')
    first = make_runner(tmp_path / 'run', **start, **{'train_cfg.max_iters': 2})
    first.train()
    assert first.model.weight > 1 and first.model.calls == 2
    second = make_runner(tmp_path / 'run', **start)
    second.train()
    assert second.model.calls == 2 and second.iter == 4


def test_a_new_training_moves_earlier_checkpoints_aside(tmp_path, whole):
    make_runner(tmp_path / 'run', **{'train_cfg.max_iters': 8}).train()
    with captured_log() as messages:
        runner = make_runner(tmp_path / 'run', load_from=str(tmp_path / 'run/iter_4.pth'), resume=True,
                             **{'train_cfg.max_iters': 6})
        runner.train()
    folder, = (tmp_path / 'run').glob('earlier_*')
    assert files(folder) == ['iter_6.pth', 'iter_8.pth']
    assert any('moved to earlier_' in message and 'iter_6.pth, iter_8.pth' in message for message in messages)
    assert files(tmp_path / 'run') == ['iter_2.pth', 'iter_4.pth', 'iter_6.pth', 'last_checkpoint']
    shutil.rmtree(folder)
    make_runner(tmp_path / 'run').train()
    folder, = (tmp_path / 'run').glob('earlier_*')
    assert files(folder) == ['iter_2.pth', 'iter_4.pth', 'iter_6.pth']
    assert all(torch.equal(weight(folder / f'iter_{n}.pth'), whole[n]) for n in (2, 4, 6))


@HOOKS.register_module()
class FullDiskHook(Hook):
    """Files cannot grow beyond 500 bytes while these iterations run."""

    priority = 'VERY_HIGH'

    def __init__(self, iterations):
        self.iterations, self.limit = iterations, resource.getrlimit(resource.RLIMIT_FSIZE)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        size = 500 if runner.iter + 1 in self.iterations else self.limit[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self.limit[1]))

    def end_train(self, runner):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.limit)


def full_disk(folder, iterations, **changes):
    hooks = [dict(type='FullDiskHook', iterations=iterations)]
    with captured_log() as messages:
        runner = make_runner(folder, **KEEP_ONE, **changes, custom_hooks=hooks)
        runner.logger.handlers.clear()  # its file cannot grow either
        runner.visualizer._vis_backends.clear()
        try:
            runner.train()
        finally:
            found = [message for message in messages if 'was not written' in message]
    return runner, found


def test_a_full_disk_is_one_line_and_the_next_interval_tries_again(tmp_path, whole):
    runner, messages = full_disk(tmp_path / 'run', (4, 6), **{'train_cfg.max_iters': 8})
    assert messages == [f'checkpoint iter_{number}.pth was not written (File too large); iter_2.pth stays, and the '
                        'next interval tries again' for number in (4, 6)]
    assert torch.equal(runner.model.weight, whole[8])
    assert files(tmp_path / 'run') == ['iter_8.pth', 'last_checkpoint']


def test_a_full_disk_at_the_end_is_an_error(tmp_path, whole):
    with pytest.raises(OSError, match='after iteration 4 could not be written to .*run: make space and run'):
        full_disk(tmp_path / 'run', (4, ))
    assert files(tmp_path / 'run') == ['iter_2.pth', 'last_checkpoint']
    rest = make_runner(tmp_path / 'run', resume=True, **{'train_cfg.max_iters': 8})
    rest.train()
    assert torch.equal(rest.model.weight, whole[8])


def test_the_best_is_replaced_after_the_new_one_is_there(tmp_path, monkeypatch, whole):
    best = 'best_toy_weight_iter_{}.pth'
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killing(patch, 'replace', name=tmp_path / 'run' / best.format(4))
        make_runner(tmp_path / 'run', **KEEP_ONE, **VALIDATION, **{'train_cfg.max_iters': 8}).train()
    assert files(tmp_path / 'run') == [best.format(2), 'iter_4.pth', 'last_checkpoint']
    (tmp_path / 'run').rename(tmp_path / 'moved')
    rest = make_runner(tmp_path / 'moved', **KEEP_ONE, **VALIDATION, **{'train_cfg.max_iters': 8}, resume=True)
    rest.train()
    assert files(tmp_path / 'moved') == [best.format(6), 'iter_8.pth', 'last_checkpoint']
    assert torch.equal(weight(tmp_path / 'moved' / best.format(6)), whole[6])


def test_a_best_that_cannot_be_written_leaves_the_one_so_far(tmp_path, whole):
    """The next better value is measured against what is on the disk."""
    runner, messages = full_disk(tmp_path / 'run', (4, ), **VALIDATION, **{'train_cfg.max_iters': 6})
    assert [message.split(' was')[0] for message in messages] == [
        'checkpoint iter_4.pth', 'checkpoint of the best toy/weight']
    assert files(tmp_path / 'run') == ['best_toy_weight_iter_6.pth', 'iter_6.pth', 'last_checkpoint']
    assert runner.message_hub.get_info('best_score') == pytest.approx(float(whole[6]))


def test_epochs_are_refused():
    with pytest.raises(ValueError, match='set by_epoch=False, or use CheckpointHook'):
        HOOKS.build(dict(type='DurableCheckpointHook', by_epoch=True))


@pytest.mark.slow
def test_two_processes_killed_and_stopped(fork_server, tmp_path):
    """Real signals: two kills with -9, one while a checkpoint is written, then SIGTERM to one of the two."""
    out = fork_server.run('tests/helpers/killed_training.py', tmp_path / 'toy', '--kills', 2)
    assert 'SIGTERM to one process: exit codes [143, 143]' in out
    assert '2 kills: 0 of 6 tensors differ' in out


@pytest.mark.parametrize('key', ['toy/weight_of_large_ones', ['toy/weight', 'toy/weight_of_large_ones']])
def test_a_number_that_a_validation_lacks_keeps_the_best_so_far(tmp_path, key):
    """Nothing was annotated that it could be about: training goes on, and it is said."""
    with captured_log() as messages:
        make_runner(tmp_path / 'run', **dict(VALIDATION, **{
            'train_cfg.max_iters': 4, 'default_hooks.checkpoint.save_best': key})).train()
    assert sum("save_best=['toy/weight_of_large_ones']: this validation gave ['toy/weight']" in message
               for message in messages) == 2
    assert not [name for name in files(tmp_path / 'run') if name.startswith('best')]
