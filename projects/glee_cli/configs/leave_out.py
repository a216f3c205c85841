"""Training on some of the sources of a mixture only."""
from typing import Sequence

from mmengine.config import Config
from mmengine.logging import print_log

from ..exits import ConfigError
from .needed_files import exists, files_of, source_of

MISSING = 'missing'


def leave_out(cfg: Config, names: Sequence[str]) -> None:
    """Take sources out of the mixture that ``cfg`` trains on; one line says what is left, with its ratios.

    Args:
        cfg: its ``train_dataloader`` and, where validation lacks files, its ``val_...`` sections are changed.
        names: of sources; 'missing' stands for all whose files are not here, validation too.

    Raises:
        ConfigError: the config trains on no mixture, or has no such source, or none would be left.
    """
    loader = cfg.train_dataloader
    if 'datasets' not in loader.dataset or 'ratios' not in loader.get('sampler', {}):
        raise ConfigError(f'--without: {cfg.filename} trains on no mixture of sources')
    sources = [source_of(dataset) for dataset in loader.dataset.datasets]
    unknown = [name for name in names if name not in (*sources, MISSING)]
    if unknown:
        raise ConfigError(f'--without {" ".join(unknown)}: the sources of {cfg.filename} are '
                          f'{", ".join(dict.fromkeys(sources))}')
    kept = [number for number, (name, dataset) in enumerate(zip(sources, loader.dataset.datasets))
            if name not in names and (MISSING not in names or all(map(exists, files_of(dataset))))]
    if not kept:
        if MISSING in names and not set(names) & set(sources):
            return  # the table of all of them says more
        raise ConfigError(f'--without {" ".join(names)}: no source of {cfg.filename} is left')
    if len(kept) < len(sources):
        _keep(loader, kept)
        print_log('training on ' + ', '.join(f'{sources[number]} {loader.sampler.ratios[place]:g}'
                                             for place, number in enumerate(kept)))
    if MISSING in names and cfg.get('val_cfg') is not None and not all(
            exists(entry) for section in ('val_dataloader', 'val_evaluator') for entry in files_of(cfg.get(section))):
        cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
        print_log('without validation, whose files are missing')


def _keep(loader: dict, kept: Sequence[int]) -> None:
    """Only some data sets, and what the loader says about each."""
    for owner, key in ((loader['dataset'], 'datasets'), (loader['sampler'], 'ratios'),
                       (loader['sampler'], 'repeat_thrs'), (loader, 'batch_size'),
                       (loader.get('batch_sampler') or {}, 'batch_size')):
        if isinstance(owner.get(key), (list, tuple)):
            owner[key] = [owner[key][number] for number in kept]
