"""A config file with the options of the command line, read and checked without importing torch."""
import difflib
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, Iterator

from mmengine.config import Config

from ..exits import ConfigError
from .cfg_options import DictAction, apply_options, children

# in a checkout a link to its configs/, which an installed package has there
CONFIGS = Path(__file__).resolve().parents[2].joinpath('glee/.mim/configs/glee').resolve()


def add_common_arguments(parser: ArgumentParser) -> None:
    """Arguments that training and testing share, named as in mmdet's tools."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir', help='folder of logs and results; default: work_dirs/<name of the config>')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help='change settings of the config: a path such as train_dataloader.batch_size=4; data_root=/my/data moves '
        'all data sets; any other key or component is changed wherever it is, as in prompt_prob=0.4 or '
        'RandomChoiceResize.scales="[(400, 1000)]"')
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
        help='how several processes were started')
    parser.add_argument('--debug', action='store_true', help='show the traceback of a mistake')
    # torch.distributed.launch passes it; torchrun sets the environment variable instead.
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help='set by launchers')


def load_config(args: Namespace) -> Config:
    """The config of ``args`` (see ``add_common_arguments``) with its options set; ``custom_imports`` are left alone.

    ``data_root`` moves all paths (:func:`move_data_root`), other options are set as :func:`apply_options` says. An
    ``outfile_prefix`` or ``cache_dir`` that is a name without a folder is put into the work folder.

    Raises:
        ConfigError: there is no such file, or an option cannot be meant.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    check_file(args.config)
    cfg = Config.fromfile(args.config, import_custom_modules=False)
    options = dict(args.cfg_options)
    move_data_root(cfg, options.pop('data_root', None))
    apply_options(cfg, options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    for node in dicts_in(cfg._cfg_dict):
        for key in ('outfile_prefix', 'cache_dir'):
            if node.get(key) and not os.path.dirname(node[key]):
                node[key] = os.path.join(cfg.work_dir, node[key])
        if node.get('persistent_workers') and node.get('num_workers') == 0:
            node['persistent_workers'] = False  # torch refuses it
    cfg.launcher = args.launcher
    return cfg


def check_file(config: str) -> None:
    """Refuse a config file that is not there, and name those that are called much the same.

    Raises:
        ConfigError: there is no such file.
    """
    if not Path(config).is_file():
        names = {path.stem: path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts}
        close = difflib.get_close_matches(Path(config).stem, names, n=3)
        raise ConfigError(f'there is no config file {config}' + (
            f'; did you mean {" or ".join(os.path.relpath(names[name]) for name in close)}?' if close else ''))


def move_data_root(cfg: Config, new: str | None) -> None:
    """Put ``new`` in the place of the config's ``data_root``, at the beginning of every path that starts with it.

    Args:
        cfg: a config whose ``data_root`` is the folder that its literal paths begin with.
        new: another folder, with or without its last slash; None only checks the config.

    Raises:
        ConfigError: the config has no ``data_root``, or one that no data set is in.
    """
    old = cfg.get('data_root')
    if not old:
        if new is not None:
            raise ConfigError(f'--cfg-options data_root={new}: {cfg.filename} has no data_root to move; set the paths '
                              'of its data sets')
        return
    folders = [str(node['data_root']) for section in children(cfg._cfg_dict) for node in dicts_in(section)
               if node.get('data_root')]
    if folders and not any(os.path.join(folder, '').startswith(old) for folder in folders):
        raise ConfigError(f'{cfg.filename} has data_root={old!r}, but its data sets are in {folders[0]!r}: a config '
                          f'cannot move what its bases say, --cfg-options data_root={old} does')
    if new is not None:
        replace_prefix(cfg._cfg_dict, os.path.join(old, ''), os.path.join(str(new), ''))


def replace_prefix(node: Any, old: str, new: str) -> Any:
    """``node`` with folder ``new`` in place of ``old`` at the beginning of every string; dicts and lists are changed.

    Both folders end with a slash.
    """
    if isinstance(node, str):
        return new + node[len(old):] if node.startswith(old) or node == old[:-1] else node
    if isinstance(node, dict):
        node.update({key: replace_prefix(value, old, new) for key, value in node.items()})
    elif isinstance(node, list):
        node[:] = [replace_prefix(value, old, new) for value in node]
    elif isinstance(node, tuple):
        return tuple(replace_prefix(value, old, new) for value in node)
    return node


def dicts_in(node: Any) -> Iterator[dict]:
    """All dicts in ``node``, itself too."""
    if isinstance(node, dict):
        yield node
    for child in children(node):
        yield from dicts_in(child)


def check_sections(cfg: Config, *names: str) -> None:
    """Refuse a config for something that it does not do.

    Raises:
        ConfigError: the config lacks one of the sections ``names``.
    """
    for name in names:
        if cfg.get(name) is None:
            raise ConfigError(f'{cfg.filename} has no {name}; configs/glee/README.md says which config trains and '
                              'which one tests what')


def check_schedule(cfg: Config) -> None:
    """Refuse a training that ends within its warm-up.

    Raises:
        ConfigError: a ``LinearLR`` that raises the learning rate by iterations is longer than ``max_iters``.
    """
    length, schedulers = cfg.train_cfg.get('max_iters'), cfg.get('param_scheduler') or []
    if isinstance(schedulers, dict):  # mmengine takes one alone, too
        schedulers = [schedulers]
    for scheduler in schedulers:
        end = scheduler.get('end')
        if length is None or end is None or scheduler.type != 'LinearLR' or scheduler.get('by_epoch', True):
            continue
        rises = scheduler.get('start_factor', 1 / 3) < scheduler.get('end_factor', 1)
        # a next one that begins then would have no iteration
        if rises and (end > length or end == length and any(other.get('begin') == end for other in schedulers)):
            raise ConfigError(f'train_cfg.max_iters={length} ends within the warm-up of {end} iterations: train longer '
                              f'or shorten it with --cfg-options warmup_iters={max(1, length // 10)}')
