"""From a config file and command line options to a runner, for the tools."""
import atexit
import copy
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

import torch
from mmdet.registry import RUNNERS
from mmdet.utils import replace_cfg_vals, setup_cache_size_limit_of_dynamo
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.logging import print_log
from mmengine.runner import Runner


def add_common_arguments(parser: ArgumentParser) -> None:
    """Arguments that training and testing share, named as in mmdet's tools."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir', help='folder of logs and results; default: work_dirs/<name of the config>')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help='change settings of the config, e.g. data_root=/data train_dataloader.batch_size=4; '
        'strings like "${data_root}" in the config are resolved afterwards')
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
        help='how several processes were started')
    # torch.distributed.launch passes it; torchrun sets the environment variable instead.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help='set by launchers')


def load_config(args: Namespace) -> Config:
    """The config of ``args`` (see ``add_common_arguments``) with its options merged.

    References such as ``'${data_root}coco/'`` are resolved after the merge, so that an option moves
    everything that refers to it (EVAL trap 12). A ``data_root`` may lack its last slash.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    setup_cache_size_limit_of_dynamo()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    if cfg.get('data_root'):
        cfg.data_root = os.path.join(cfg.data_root, '')
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    # twice, since what a reference stands for may hold references (annotation_cache names work_dir)
    cfg = replace_cfg_vals(replace_cfg_vals(cfg))
    cfg.launcher = args.launcher
    return cfg


def without_teacher(model: ConfigDict) -> ConfigDict:
    """The config of a model for inference: of a text encoder in mode 'distill' only training reads the teacher."""
    model = copy.deepcopy(model)
    encoder = model.get('panoptic_head', {}).get('text_encoder', {})
    if encoder.get('type') == 'CLIPTextEncoder' and encoder.get('mode', 'distill') == 'distill':
        encoder.mode = 'unfrozen'
    return model


def set_amp(cfg: Config, wanted: bool) -> None:
    """Turn on mixed precision if ``wanted``; without a GPU turn it off and say so in one line."""
    optim_wrapper = cfg.optim_wrapper
    wanted = wanted or optim_wrapper.get('type') == 'AmpOptimWrapper'
    if wanted and torch.cuda.is_available():
        optim_wrapper.type = 'AmpOptimWrapper'
        optim_wrapper.setdefault('loss_scale', 'dynamic')
    elif wanted:
        optim_wrapper.type = 'OptimWrapper'
        for key in ('loss_scale', 'dtype', 'use_fsdp'):
            optim_wrapper.pop(key, None)
        print_log('mixed precision (--amp) needs a GPU and none is here: running in float32')


def build_runner(cfg: Config) -> Runner:
    """The runner of ``cfg``; without ``runner_type`` the one that loads checkpoints strictly."""
    if cfg.get('launcher', 'none') != 'none' and not torch.cuda.is_available():
        _start_cpu_processes(cfg)
    cfg.setdefault('runner_type', 'StrictRunner')
    return RUNNERS.build(cfg)


def _start_cpu_processes(cfg: Config) -> None:
    """Connect this process to the others over gloo; mmengine's own start requires GPUs."""
    if cfg.launcher != 'pytorch':
        raise ValueError(f'--launcher {cfg.launcher} needs GPUs and none is here; use torchrun '
                         'with --launcher pytorch')
    torch.distributed.init_process_group('gloo')
    # the group's threads abort, now and then, a process that ends before them
    atexit.register(torch.distributed.destroy_process_group)
    cfg.setdefault('model_wrapper_cfg', dict(
        type='MMDistributedDataParallel', broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False)))
    cfg.model_wrapper_cfg.setdefault('device_ids', None)
