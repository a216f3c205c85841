"""Missing files of a config in one screen: what, where it is to be had, and what can be done without it."""
import os
import shutil
import textwrap
from typing import Optional

from mmengine.config import Config

from ..exits import MissingData
from .config_file import dicts_in
from .data_sources import DataSource, find_source, read_tables
from .needed_files import CHECKPOINT, NeededFile, missing_files

NAMED_AS_COCO = ('CocoDataset', 'CocoPanopticDataset')  # mmdet's, without metainfo
_WIDEST = 120  # columns of the screen


def check_data(cfg: Config, training: bool) -> None:
    """Refuse to start where files of the config are missing.

    Args:
        cfg: a config whose options are set.
        training: training (with its validation), or else testing.

    Raises:
        MissingData: a table of all of them.
    """
    missing = missing_files(cfg, training)
    if missing:
        raise MissingData(describe(cfg, missing, training))


def describe(cfg: Config, missing: list[NeededFile], training: bool) -> str:
    """The table and what can be done."""
    root = os.path.normpath(cfg.get('data_root') or '.') + '/'
    width = min(shutil.get_terminal_size((_WIDEST, 40)).columns, _WIDEST)
    rows = [('source', f'missing below {root}', 'to be had')] + _rows(missing, root)
    first = max(len(name) for row in rows for name in row[0].splitlines()) + 2
    second = min(max(len(name) for row in rows for name in row[1].splitlines()) + 2, max(width - first - 30, 30))
    lines = [line for row in rows for line in _table_lines(row, (first, second, max(width - first - second, 20)))]
    count = '1 file or folder that is' if len(missing) == 1 else f'{len(missing)} files and folders that are'
    data = [entry for entry in missing if entry.owner != CHECKPOINT]
    sources = [source for source in (_source_of(entry, root, read_tables()) for entry in data) if source]
    synthetic = all(source.in_miniworld for source in sources) and not _has_fixed_names(cfg, training)
    ways = _ways_out(cfg, training, bool(sources), synthetic) if data else [
        'docs/checkpoints.md says where checkpoints are to be had and how they are named.']
    return '\n'.join([f'{cfg.filename} reads {count} not here:', *lines, '', *ways])


def _has_fixed_names(cfg: Config, training: bool) -> bool:
    """Whether a data set has its names from elsewhere than its file, whose names MiniWorld's files lack."""
    return any(node.get('classes') or node.get('type') in NAMED_AS_COCO and 'metainfo' not in node
               for node in dicts_in(cfg.get('train_dataloader' if training else 'test_dataloader') or {}))


def _rows(missing: list[NeededFile], root: str) -> list[tuple[str, str, str]]:
    """Owners, paths and origin, each line by line, of what comes from the same place."""
    tables, groups = read_tables(), {}
    for entry in missing:
        name, source = entry.path.removeprefix(root), _source_of(entry, root, tables)
        key = source.origin if source else entry.owner
        owners, names, ways = groups.setdefault(key, ([], [], []))
        owners.append(entry.owner)
        elsewhere = name == entry.path and not os.path.isabs(name)
        names.append(os.path.join('.', name) if elsewhere else name or './')
        if source is not None and source.made_by != 'as released':
            ways.append(source.made_by)
    return [('\n'.join(dict.fromkeys(owners)), '\n'.join(names),
             '\n'.join(dict.fromkeys([key if key not in owners else '', *ways])).strip())
            for key, (owners, names, ways) in groups.items()]


def _source_of(entry: NeededFile, root: str, tables: list[DataSource]) -> Optional[DataSource]:
    name = entry.path.removeprefix(root)
    # a root may be the folder of one data set
    return find_source(name, tables) or find_source(f'{os.path.basename(root[:-1])}/{name}', tables)


def _table_lines(row: tuple[str, str, str], widths: tuple[int, int, int]) -> list[str]:
    cells = [[part for line in cell.splitlines() for part in textwrap.wrap(line, width - 1)]
             for cell, width in zip(row, widths)]
    return [''.join(f'{"".join(cell[number:number + 1]):{width}}' for cell, width in zip(cells, widths)).rstrip()
            for number in range(max(map(len, cells)))]


def _ways_out(cfg: Config, training: bool, published: bool, synthetic: bool) -> list[str]:
    """Lines about other data; ``published``: it is not the user's own alone; ``synthetic``: MiniWorld has such."""
    tool = 'train.py' if training else 'test.py'
    checkpoint = '' if training else ' CHECKPOINT'
    world = cfg.get('data_root') or ''
    own = 'miniworld' in world
    world = os.path.normpath(world) if own else 'data/miniworld_all'
    if not published:
        return ['The data lie elsewhere: --cfg-options data_root=/my/data, or set the paths in the config']
    elsewhere = 'The data lie elsewhere:      --cfg-options data_root=/my/data (docs/DATA.md has the layout)'
    if not synthetic:
        return [elsewhere]
    lines = [
        elsewhere,
        f'On the synthetic MiniWorld:  python tools/dataset_converters/make_miniworld.py --out {world} --images 400 '
        '--videos 20 --sources all',
        f'{"":29}python tools/{tool} {cfg.filename}{checkpoint}{"" if own else f" --cfg-options data_root={world}"}']
    if training and 'ratios' in (cfg.train_dataloader.get('sampler') or {}):
        lines.append('Without some sources:        --without SOURCE ..., or --without missing')
    return lines
