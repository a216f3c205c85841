"""The files and folders that a config reads before it can train or test."""
import os
from pathlib import Path
from typing import Any, Iterator, NamedTuple

from mmengine.config import Config

from .cfg_options import children
from .config_file import dicts_in

CHECKPOINT = 'checkpoint'
# What transforms and metrics read; they also name files that they write. All files of a data set are read.
_INPUTS = ('ann_file', 'names_file', 'text_bank')


class NeededFile(NamedTuple):
    """``path`` as the program opens it; ``owner``: the source of the data set, 'validation', 'test' or 'checkpoint'."""
    owner: str
    path: str


def needed_files(cfg: Config, training: bool) -> list[NeededFile]:
    """What training (with its validation) or testing reads, each once, in the order of the config.

    Args:
        cfg: a config whose options are set.
        training: training, or else testing.
    """
    found = [NeededFile(key, str(path)) for key, path in _checkpoints(cfg, training) if is_local(path)]
    if training:
        found += files_of(cfg.train_dataloader)
    if not training or cfg.get('val_cfg') is not None:
        kind, name = ('val', 'validation') if training else ('test', 'test')
        found += [entry._replace(owner=name) for section in ('dataloader', 'evaluator')
                  for entry in files_of(cfg.get(f'{kind}_{section}'))]
    return list({entry.path: entry for entry in reversed(found)}.values())[::-1]


def missing_files(cfg: Config, training: bool) -> list[NeededFile]:
    """The ``needed_files`` that do not exist."""
    return [entry for entry in needed_files(cfg, training) if not exists(entry)]


def exists(entry: NeededFile) -> bool:
    """Whether the file or folder is there."""
    return Path(entry.path).expanduser().exists()


def source_of(dataset: dict) -> str:
    """The name of a data set's source: what its ``SetSource`` says, else its type."""
    steps = dataset.get('pipeline') or ()
    named = [step['source'] for step in steps if isinstance(step, dict) and step.get('source')]
    return str(named[0] if named else str(dataset.get('type', 'data set')).rpartition('.')[2])


def is_local(path: Any) -> bool:
    """Whether a value of a config is a path of this machine, and not None or an address."""
    return isinstance(path, (str, os.PathLike)) and str(path) != '' and '://' not in str(path)


def _checkpoints(cfg: Config, training: bool) -> Iterator[tuple[str, Any]]:
    yield CHECKPOINT, cfg.get('load_from')
    # a test loads all weights at once
    for node in dicts_in(cfg.get('model') or {}) if training else ():
        yield CHECKPOINT, node.get('checkpoint')


def files_of(node: Any, owner: str = '') -> Iterator[NeededFile]:
    """Files of a part of a config: of a data set those below its ``data_root``, of anything else ``_INPUTS``."""
    if isinstance(node, dict):
        if node.get('backend_args'):
            return
        is_dataset = 'data_root' in node or 'data_prefix' in node
        owner = source_of(node) if is_dataset else owner
        root = node.get('data_root') or ''
        names = [value for key, values in node.items() if key in _INPUTS or is_dataset and str(key).endswith('_file')
                 for value in (values if isinstance(values, (list, tuple)) else [values])]
        if is_dataset and isinstance(node.get('data_prefix'), dict):
            names += node['data_prefix'].values()
        yield from (NeededFile(owner, os.path.normpath(os.path.join(root, name)) + '/' * name.endswith('/'))
                    for name in names if is_local(name) and is_local(root or '.'))
    for child in children(node):
        yield from files_of(child, owner)
