"""A training that is asked to stop saves, says where, and ends with the signal's code."""
import os
import signal
import threading

import pytest
import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from test_durable_checkpoint_hook import VALIDATION, files, weight
from torch.utils.data import DataLoader
from toy_training import make_runner

from projects.glee.engine.hooks import stop_signal_hook
from projects.glee.engine.hooks.stop_signal_hook import SIGNALS


@HOOKS.register_module()
class AskToStop(Hook):
    """Sends this process signals in the middle of an iteration."""

    def __init__(self, numbers, iteration, phase='before_train_iter'):
        self.numbers, self.iteration = numbers, iteration
        setattr(self, phase, self.send)

    def send(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            for number in self.numbers:
                os.kill(os.getpid(), number)


def stopped(folder, numbers, iteration, phase='before_train_iter', **changes):
    """Train until the signals stop it; the exit code. The handlers are as before."""
    before = [signal.getsignal(number) for number in SIGNALS]
    hooks = [dict(type='StopSignalHook'), dict(type='AskToStop', numbers=numbers, iteration=iteration, phase=phase)]
    with pytest.raises(SystemExit) as stop:
        make_runner(folder, custom_hooks=hooks, **changes).train()
    assert [signal.getsignal(number) for number in SIGNALS] == before
    return stop.value.code


@pytest.mark.parametrize('numbers', [[signal.SIGTERM], [signal.SIGINT], [signal.SIGUSR1], [signal.SIGTERM] * 3])
def test_saved_after_the_iteration_and_resumed_exactly(tmp_path, numbers, capfd):
    make_runner(tmp_path / 'whole').train()
    assert stopped(tmp_path / 'run', numbers, 3) == 128 + numbers[0]
    assert files(tmp_path / 'run') == ['iter_2.pth', 'iter_3.pth', 'last_checkpoint']
    assert capfd.readouterr().err.count(f'{numbers[0].name}: saving after this iteration') == 1
    rest = make_runner(tmp_path / 'run', resume=True)
    rest.train()
    assert rest.model.calls == 1
    assert torch.equal(rest.model.weight, weight(tmp_path / 'whole/iter_4.pth'))


def test_an_iteration_that_is_saved_anyway_is_saved_once(tmp_path, monkeypatch):
    from projects.glee.engine.runner import StrictRunner
    names, save = [], StrictRunner.save_checkpoint
    monkeypatch.setattr(StrictRunner, 'save_checkpoint', lambda self, folder, name, **kwargs: (
        names.append(name), save(self, folder, name, **kwargs)))
    assert stopped(tmp_path / 'run', [signal.SIGTERM], 4) == 143
    assert names == ['iter_2.pth', 'iter_4.pth']


def test_a_validation_is_stopped(tmp_path):
    changes = dict(VALIDATION, **{'default_hooks.checkpoint.interval': 100, 'default_hooks.checkpoint.save_best': None})
    assert stopped(tmp_path / 'run', [signal.SIGTERM], 3, 'before_val_iter', **changes) == 143
    assert files(tmp_path / 'run') == ['iter_2.pth', 'last_checkpoint']


def test_a_later_signal_ends_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(stop_signal_hook, '_SECONDS', -1.0)
    received = []
    earlier = signal.signal(signal.SIGUSR1, lambda *args: received.append(args))
    try:
        assert stopped(tmp_path / 'run', [signal.SIGUSR1] * 2, 3) == 128 + signal.SIGUSR1
    finally:
        signal.signal(signal.SIGUSR1, earlier)
    assert len(received) == 1  # the second one, by the handler of before


def test_a_stock_checkpoint_hook_is_refused_at_the_start(tmp_path):
    with pytest.raises(ValueError, match='use that as default_hooks.checkpoint, or take StopSignalHook out'):
        make_runner(tmp_path / 'run', default_hooks=dict(checkpoint=dict(type='CheckpointHook'))).train()


def test_handlers_come_back_after_an_error(tmp_path):
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(FloatingPointError):
        make_runner(tmp_path / 'run', model=dict(broken_at=3)).train()
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_another_thread_trains_without_signals(tmp_path):
    thread = threading.Thread(target=make_runner(tmp_path / 'run').train)
    thread.start()
    thread.join()
    assert 'iter_4.pth' in files(tmp_path / 'run')


class Groups(torch.utils.data.Dataset):
    """The process group of whoever reads it."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return os.getpgrp()


def test_workers_are_out_of_reach_of_a_signal_to_the_group():
    seen = []
    loader = DataLoader(Groups(), num_workers=1, worker_init_fn=seen.append)
    stop_signal_hook._isolate_workers(loader)
    group, = loader
    assert int(group) != os.getpgrp()
