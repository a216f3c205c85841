"""From a config file and command line options to a runner, for the tools."""
import atexit
import copy
from argparse import Namespace

import torch
from mmdet.registry import RUNNERS
from mmdet.utils import setup_cache_size_limit_of_dynamo
from mmengine.config import Config, ConfigDict
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings

from projects.glee_cli.configs import config_file
from projects.glee_cli.configs.needed_files import is_local
from projects.glee_cli.exits import ConfigError

from ...utils.console import without_chatter
from ..checkpoints.check_fit import check_fit


def load_config(args: Namespace) -> Config:
    """As ``config_file.load_config``; the ``custom_imports`` of the config are imported.

    Raises:
        ConfigError: there is no such file, or an option cannot be meant.
    """
    cfg = config_file.load_config(args)
    import_custom_modules(cfg)
    return cfg


def import_custom_modules(cfg: Config) -> None:
    """Import what the config's ``custom_imports`` name."""
    if cfg.get('custom_imports'):
        import_modules_from_strings(**cfg.custom_imports)


def without_teacher(model: ConfigDict) -> ConfigDict:
    """The config of a model for inference: of a text encoder in mode 'distill' only training reads the teacher."""
    model = copy.deepcopy(model)
    encoder = model.get('panoptic_head', {}).get('text_encoder', {})
    if encoder.get('type') == 'CLIPTextEncoder' and encoder.get('mode', 'distill') == 'distill':
        encoder.mode = 'unfrozen'
    return model


def check_checkpoint(cfg: Config) -> None:
    """Refuse the checkpoint ``load_from`` of a config, if it has one, where ``StrictRunner`` would later.

    Raises:
        ConfigError: the file is refused or does not fit the model.
    """
    if is_local(cfg.get('load_from')) and cfg.get('runner_type', 'StrictRunner') == 'StrictRunner':
        import_custom_modules(cfg)
        ignore = () if cfg.get('resume') is True else cfg.get('load_ignore', ())
        try:
            check_fit(cfg.model, cfg.load_from, [ignore] if isinstance(ignore, str) else ignore)
        except (ValueError, OSError) as error:
            raise ConfigError(str(error)) from error


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
    import_custom_modules(cfg)
    setup_cache_size_limit_of_dynamo()
    if cfg.get('launcher', 'none') != 'none' and not torch.cuda.is_available():
        _start_cpu_processes(cfg)
    cfg.setdefault('runner_type', 'StrictRunner')
    return RUNNERS.build(cfg)


def build_data(runner: Runner, training: bool) -> None:
    """Build the loop of training or testing now, with its data sets, as the runner would when it starts.

    Raises:
        ConfigError: a file of a data set or metric cannot be used.
    """
    try:
        with without_chatter():
            _ = runner.train_loop if training else runner.test_loop
    except (ValueError, OSError) as error:
        raise ConfigError(str(error)) from error


def _start_cpu_processes(cfg: Config) -> None:
    """Connect this process to the others over gloo; mmengine's own start requires GPUs."""
    if cfg.launcher != 'pytorch':
        raise ConfigError(f'--launcher {cfg.launcher} needs GPUs and none is here; use torchrun '
                          'with --launcher pytorch')
    torch.distributed.init_process_group('gloo')
    # the group's threads abort, now and then, a process that ends before them
    atexit.register(torch.distributed.destroy_process_group)
    cfg.setdefault('model_wrapper_cfg', dict(
        type='MMDistributedDataParallel', broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False)))
    cfg.model_wrapper_cfg.setdefault('device_ids', None)
