"""A toy training of two processes, killed with -9 again and again, ends as one that is left alone.

    python tests/helpers/killed_training.py FOLDER --kills 50

Every other kill waits for a checkpoint that is being written. One checkpoint is kept. Then one process of the two gets
SIGTERM. Prints a line for each kill and exits with 1 if a weight or a momentum differs, or a process ended wrongly.
"""
import multiprocessing
import os
import random
import shutil
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner
from toy_training import CONFIG, ToyModel

import projects.glee  # noqa: F401  (registers every component)
from projects.glee.engine.checkpoints import read_checkpoint
from projects.glee.engine.runner.run_config import build_runner

FORK = multiprocessing.get_context('fork')  # the imports above take longer than the trainings


@MODELS.register_module()
class HeavyToyModel(ToyModel):
    """A toy whose checkpoint takes some milliseconds to write."""

    def __init__(self):
        super().__init__()
        self.load = torch.nn.Parameter(torch.linspace(0, 1, 3_000_000))

    def forward(self, value, mode='tensor', **kwargs):
        losses = super().forward(value, mode, **kwargs)
        losses['loss_load'] = (self.load * torch.rand(()) - torch.as_tensor(value).mean()).square().mean()
        return losses


def train(rank: int, port: int, folder: Path, iterations: int) -> None:
    """One of the two processes; its exit code is the training's."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2', MASTER_ADDR='127.0.0.1',
                      MASTER_PORT=str(port), CUDA_VISIBLE_DEVICES='')
    log = open(folder.with_suffix(f'.log{rank}'), 'w')
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    Runner._log_env = lambda *_: None  # asks compilers, takes seconds
    cfg = Config.fromstring(CONFIG.replace('toy_data/', ''), '.py')
    cfg.merge_from_dict(dict(
        work_dir=str(folder), launcher='pytorch', resume='auto', model=dict(type='HeavyToyModel'),
        train_cfg=dict(max_iters=iterations), default_hooks=dict(
            checkpoint=dict(max_keep_ckpts=1), logger=dict(interval=100))))
    cfg.custom_hooks.append(dict(type='ExactResumeHook'))
    cfg.train_dataloader.dataset.ann_file = ''
    build_runner(cfg).train()
    torch.distributed.destroy_process_group()


def start(folder: Path, iterations: int) -> list:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    processes = [FORK.Process(target=train, args=(rank, port, folder, iterations)) for rank in (0, 1)]
    for process in processes:
        process.start()
    return processes


def finish(processes: list) -> list[int]:
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def checkpoints(folder: Path) -> set[str]:
    return {path.name for path in folder.glob('iter_*.pth')}


def kill_once(folder: Path, iterations: int, while_writing: bool) -> str:
    """Start or resume, let at least one checkpoint be written, kill both processes; what it met."""
    known, processes = checkpoints(folder), start(folder, iterations)
    while processes[0].is_alive() and not checkpoints(folder) - known:
        time.sleep(0.002)
    if while_writing:
        while processes[0].is_alive() and not list(folder.glob('.iter_*.part')):
            time.sleep(0.0005)
        time.sleep(random.uniform(0, 0.03))
    else:
        time.sleep(random.uniform(0, 0.2))
    for process in random.sample(processes, 2):
        process.kill()
    finish(processes)
    parts = [path.name for path in folder.glob('.*.part')]
    return f'{sorted(checkpoints(folder))} and {parts}'


def state(folder: Path, iterations: int) -> list[torch.Tensor]:
    checkpoint = read_checkpoint(folder / f'iter_{iterations}.pth')
    momenta = [entry['momentum_buffer'] for entry in checkpoint['optimizer']['state'].values()]
    return [*checkpoint['state_dict'].values(), *momenta]


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument('folder', type=Path)
    parser.add_argument('--kills', type=int, default=4)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    iterations = 12 * args.kills + 6
    shutil.rmtree(args.folder, ignore_errors=True)
    args.folder.mkdir(parents=True)
    whole, broken = args.folder / 'whole', args.folder / 'broken'
    wrong = []
    if finish(start(whole, iterations)) != [0, 0]:
        sys.exit('the uninterrupted training failed: ' + whole.with_suffix('.log0').read_text()[-2000:])
    for number in range(args.kills):
        print(f'kill {number + 1}: {kill_once(broken, iterations, bool(number % 2))}', flush=True)
    known, stopped = checkpoints(broken), start(broken, iterations)
    while stopped[1].is_alive() and not checkpoints(broken) - known:
        time.sleep(0.002)
    os.kill(stopped[1].pid, signal.SIGTERM)
    codes = finish(stopped)
    print(f'SIGTERM to one process: exit codes {codes}, {sorted(checkpoints(broken))}')
    if codes != [128 + signal.SIGTERM] * 2:
        wrong.append(f'exit codes {codes} after SIGTERM')
    if finish(start(broken, iterations)) != [0, 0]:
        sys.exit('the last training failed: ' + broken.with_suffix('.log0').read_text()[-2000:])
    pairs = list(zip(state(whole, iterations), state(broken, iterations), strict=True))
    different = sum(not torch.equal(one, other) for one, other in pairs)
    print(f'{args.kills} kills: {different} of {len(pairs)} tensors differ')
    if different:
        wrong.append('the weights are others')
    if checkpoints(broken) != {f'iter_{iterations}.pth'} or list(broken.glob('.*.part')):
        wrong.append(f'left: {sorted(path.name for path in broken.iterdir())}')
    sys.exit('; '.join(wrong) or 0)


if __name__ == '__main__':
    main()
