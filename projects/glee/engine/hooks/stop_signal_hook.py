"""A training that is asked to stop saves first."""
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

import torch
from mmdet.registry import HOOKS
from mmengine.dist import barrier, get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import distributed
from torch.utils.data import DataLoader

from .durable_checkpoint_hook import DurableCheckpointHook

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
# Launchers pass on the signal that their processes have got already: these are one request.
_SECONDS = 5.0


@HOOKS.register_module()
class StopSignalHook(Hook):
    """On SIGTERM, SIGINT or SIGUSR1 all ranks end the current iteration, save, and exit with 128 + the signal.

    That is how Slurm (``--signal``, preemption), spot machines and Ctrl-C stop a program. One rank that gets the
    signal is enough. Another signal, five seconds later or more, ends the program at once, as it does without this
    hook. During a validation of one process the checkpoint is written at the next picture; several processes validate
    to the end.

    Workers of data loaders become process groups of their own, so that a signal to the training's group, such as
    that of Ctrl-C, does not end them while their batch is waited for.

    Raises:
        ValueError: the config has no ``DurableCheckpointHook`` to save with.
        SystemExit: after saving.
    """

    priority = 'LOWEST'  # after the checkpoint hook, which may have saved this iteration

    def __init__(self) -> None:
        self._caught, self._since = 0, 0.0
        self._earlier: dict[int, Callable | int | None] = {}
        self._group = None
        self._saver: DurableCheckpointHook | None = None

    def before_train(self, runner: Runner) -> None:
        """Take over the signals, which only a main thread can."""
        self._saver = next((hook for hook in runner.hooks if isinstance(hook, DurableCheckpointHook)), None)
        if self._saver is None:
            raise ValueError('StopSignalHook saves with DurableCheckpointHook: use that as default_hooks.checkpoint, '
                             'or take StopSignalHook out of custom_hooks')
        loaders = [runner.train_loop.dataloader] + ([runner.val_loop.dataloader] if runner.val_loop else [])
        for loader in loaders:
            _isolate_workers(loader)
        if get_world_size() > 1:  # numbers of signals travel over CPUs, so that no GPU is waited for
            self._group = distributed.new_group(backend='gloo')
        if threading.current_thread() is threading.main_thread():
            self._earlier = {number: signal.signal(number, self._catch) for number in SIGNALS}

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if not self._caught:
            self._caught, self._since = number, time.monotonic()
            # not by a logger, which may be in the middle of a line
            os.write(2, f'\n{signal.Signals(number).name}: saving after this iteration, then exiting\n'.encode())
        elif time.monotonic() - self._since > _SECONDS:
            self.end_train()
            os.kill(os.getpid(), number)

    def end_train(self, runner: Runner | None = None) -> None:
        """Give the signals back; ``StrictRunner`` calls it however a training ends."""
        for number, handler in self._earlier.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._earlier = {}

    def after_train(self, runner: Runner) -> None:
        """Give the signals back."""
        self.end_train()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None,
                         outputs: object = None) -> None:
        """Stop if any rank was asked to."""
        number = self._caught
        if self._group is not None:
            agreed = torch.tensor(number)
            distributed.all_reduce(agreed, distributed.ReduceOp.MAX, self._group)
            number = int(agreed)
        if number:
            self._stop(runner, runner.iter + 1, number)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: object = None,
                       outputs: object = None) -> None:
        """Stop a validation; several processes may not have equal numbers of iterations, so they go on."""
        if self._caught and self._group is None:
            self._stop(runner, runner.iter, self._caught)

    def _stop(self, runner: Runner, iteration: int, number: int) -> None:
        self._saver.save(runner, iteration)
        barrier()
        print_log(f'{signal.Signals(number).name}: stopped after iteration {iteration}, --resume continues', 'current')
        raise SystemExit(128 + number)


def _isolate_workers(loader: DataLoader) -> None:
    loader.worker_init_fn = partial(_start_group, loader.worker_init_fn)


def _start_group(init: Callable[[int], None] | None, worker_id: int) -> None:
    os.setpgid(0, 0)
    if init is not None:
        init(worker_id)
