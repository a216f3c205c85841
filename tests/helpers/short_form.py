"""Runs a program, as it was typed, in a short form; a page's commands are run so, see ``page_folder``.

Configs of the three sizes get few and narrow layers and small pictures, and no config has workers that load data. What
is compiled is only traced. A training stops after one iteration. Its schedule is read and checked as it is, and the
checkpoints that the page goes on with are there at its end, if the long training would have left them: the newest one
is linked under their names.

Arguments: a script and its arguments. In the environment: ``PAGE``, the text of the page; ``PORT``: end when a page
comes from this port.
"""
import json
import multiprocessing
import os
import re
import runpy
import signal
import sys
import threading
import time
import urllib.request
from pathlib import Path

import torch
from config_runs import shrink, shrink_size
from mmengine.config import Config

from projects.glee.engine.runner import run_config
from projects.glee_cli.configs.config_file import dicts_in

SIZES = dict(ResNet='r50', SwinTransformer='swin-l', EVA02='eva02-l')
LENGTH = 1
SIDE = 96
CROPS = dict(BatchFixedSizePad='size', RandomCrop='crop_size')
SCALED = ('PillowResize', 'Resize', 'FixScaleResize', 'RandomResize', 'SessionPredictor')
SQUARES = ('PadSquare', 'LargeScaleJitter', 'JitterScale', 'FitSquare')


def shorten(cfg: Config) -> Config:
    """Small pictures, and few, narrow layers of GLEE-Lite, Plus and Pro; the mini models are small enough."""
    model = cfg.get('model') or {}
    head, backbone = model.get('panoptic_head', {}), model.get('backbone') or {}
    size = SIZES.get(backbone.get('type'))
    if size is not None and 'text_encoder' in head:
        kept = {key: cfg.get(key) for key in ('val_dataloader', 'val_evaluator', 'val_cfg')}
        shrink_size(cfg, size) if 'prompter' in head else shrink(cfg)
        cfg.update(kept)
        if backbone.get('depth') == 18:  # a quarter of the channels that the deeper ones have
            head.pixel_decoder.in_channels = [8, 16, 32, 64]
            head.prompter.in_channels = [16, 32, 64]
    for node in dicts_in(cfg._cfg_dict):
        init_cfg = node.get('init_cfg')
        if isinstance(init_cfg, dict) and '://' in init_cfg.get('checkpoint', ''):
            node['init_cfg'] = None  # nothing is downloaded
    shorten_loading(cfg)
    return cfg


def shorten_loading(cfg: Config) -> None:
    """Small pictures, few clicks, no workers; the names of mmdet's data sets are those of their file."""
    for node in dicts_in(cfg._cfg_dict):
        kind = node.get('type')
        if 'num_workers' in node:
            node.update(num_workers=0, persistent_workers=False)
        if kind in SCALED and 'scale' in node:
            node['scale'] = (SIDE, SIDE)
        if kind == 'RandomChoiceResize':
            node['scales'] = [(SIDE * 2 // 3, SIDE)]
        if kind in SQUARES:
            node['size'] = SIDE
        if kind in CROPS:
            node[CROPS[kind]] = (SIDE, SIDE)
        if kind == 'InteractiveTestLoop':
            node['rounds'] = dict(point=1, box=1)
        if kind in ('CocoDataset', 'CocoPanopticDataset') and 'metainfo' not in node:
            node['metainfo'] = names_of(Path(node.get('data_root', ''), node['ann_file']))


def names_of(path: Path) -> dict[str, list[str]]:
    """``metainfo`` of mmdet's data sets of COCO, whose names are otherwise those of COCO; {} without the file."""
    if not path.is_file():
        return {}
    rows = json.loads(path.read_text())['categories']
    things, stuff = ([row['name'] for row in rows if bool(row.get('isthing', True)) == kind] for kind in (True, False))
    return dict(classes=things + stuff, thing_classes=things, stuff_classes=stuff)


def trace(*args, mode=None, **options):
    """``torch.compile`` without the C++ compiler, which takes a minute."""
    return long_compile(*args, **{**options, 'backend': 'eager'})


def is_training(cfg: Config) -> bool:
    """Whether it is counted in iterations, as all recipes are."""
    return (cfg.get('train_cfg') or {}).get('max_iters') is not None


def shorten_training(cfg: Config) -> None:
    """One iteration, a validation if there is one, and a checkpoint."""
    shorten_loading(cfg)
    cfg.train_cfg.update(max_iters=LENGTH, val_interval=LENGTH)
    cfg.train_cfg.pop('dynamic_intervals', None)
    cfg.param_scheduler = []
    if 'strategy' in cfg and not torch.cuda.is_available():
        cfg.strategy.model_wrapper.device_id = 'cpu'
    cfg.default_hooks.checkpoint.interval = LENGTH
    if 'batch_size' in cfg.train_dataloader:
        cfg.train_dataloader.batch_size = min(cfg.train_dataloader.batch_size, 2)


def leave_checkpoints(work_dir: Path, numbers: set[int], kept: set[int]) -> None:
    """Link those of the work folder that the page names.

    Args:
        work_dir: of the training that has ended.
        numbers: iterations after which the long training would write a checkpoint, or have a best one.
        kept: those whose checkpoints would be there at its end.
    """
    for name in re.findall(rf'{re.escape(str(work_dir))}/([\w.@-]+\.pth)', os.environ['PAGE']):
        number = int(re.search(r'iter_(\d+)\.pth', name)[1])
        assert number in (numbers if name.startswith('best') else kept), f'the long training leaves no {name}: {kept}'
        newest, = work_dir.glob(re.sub(r'iter_\d+', f'iter_{LENGTH}', name))
        if not (work_dir / name).exists():
            (work_dir / name).symlink_to(newest.name)


def checkpoints_of(cfg: Config) -> tuple[set[int], set[int]]:
    """Arguments of ``leave_checkpoints`` of a long training; a page may say that it was stopped."""
    hook, length = cfg.default_hooks.checkpoint, cfg.train_cfg.max_iters
    numbers = {*range(hook.interval, length + 1, hook.interval), length}
    kept = sorted(numbers)[-hook.get('max_keep_ckpts', -1):] if hook.get('max_keep_ckpts', -1) > 0 else numbers
    stopped = map(int, re.findall(r'# stopped after iteration (\d+)', os.environ['PAGE']))
    return numbers, {*kept, *stopped}


def build_runner(cfg: Config):
    """``run_config.build_runner`` of a short training."""
    if not is_training(cfg):
        return long_runner(cfg)
    checkpoints = checkpoints_of(cfg)
    shorten_training(cfg)
    runner = long_runner(cfg)
    train = runner.train

    def train_and_leave():
        model = train()
        leave_checkpoints(Path(cfg.work_dir), *checkpoints)
        return model
    runner.train = train_and_leave
    return runner


def run(script: str) -> None:
    """Run it; one that serves ends well when a page has come from its port, and Ctrl-C after that."""
    served = threading.Event()
    if port := os.environ.get('PORT'):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # of what a shell starts behind, it is ignored
        threading.Thread(target=interrupt_when_served, args=[port, served], daemon=True).start()
    sys.path[0] = str(Path(script).resolve().parent)
    try:
        runpy.run_path(script, run_name='__main__')
    except (KeyboardInterrupt, SystemExit):
        if not served.is_set():
            raise


def interrupt_when_served(port: str, served: threading.Event) -> None:
    """Press Ctrl-C as soon as a page comes."""
    while not served.is_set():
        try:
            if urllib.request.urlopen(f'http://127.0.0.1:{port}/').status == 200:
                served.set()
        except OSError:
            time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)


long_runner, long_config, long_compile = run_config.build_runner, Config.fromfile, torch.compile

if __name__ == '__main__':
    run_config.build_runner = build_runner
    Config.fromfile = staticmethod(lambda *args, **kwargs: shorten(long_config(*args, **kwargs)))
    torch.compile = trace
    context = multiprocessing.get_context
    multiprocessing.get_context = lambda method=None: context('fork')  # others would not be short
    del sys.argv[0]
    run(sys.argv[0])
