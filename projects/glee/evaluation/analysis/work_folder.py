"""What a finished test left in its work folder."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from mmengine.config import Config

from .training_curves import numbers_of_test

KINDS = ('bbox', 'segm')


@dataclass(frozen=True)
class TestedSet:
    """One annotation file and what was found in its pictures.

    Attributes:
        name: of the set; empty if it is the only one.
        truth: annotation file.
        results: by kind, 'bbox' or 'segm', the COCO result file.
        images: folder that the file names of the truth are relative to; None if it is not known.
    """
    name: str
    truth: Path
    results: dict[str, Path]
    images: Optional[Path] = None


@dataclass(frozen=True)
class FinishedTest:
    """A work folder, its config and numbers, and the sets of which there are result files."""
    folder: Path
    config: Optional[Config]
    numbers: dict[str, float]
    sets: list[TestedSet] = field(default_factory=list)


def read_work_folder(folder: str | Path) -> FinishedTest:
    """Find out what a test left.

    The config is the one that mmengine writes there. Detections are in the files of ``outfile_prefix`` of the metrics
    of the config that have an ``ann_file`` (``tools/test.py --report`` sets it).

    Raises:
        FileNotFoundError: there is no such folder, or neither a config nor numbers in it.
    """
    folder = Path(folder)
    configs = sorted(folder.glob('*.py'), key=lambda path: path.stat().st_mtime) if folder.is_dir() else []
    numbers = numbers_of_test(folder) if folder.is_dir() else {}
    if not configs and not numbers:
        raise FileNotFoundError(f'{folder} is no work folder of a test: it has neither a config nor numbers')
    cfg = Config.fromfile(configs[-1], import_custom_modules=False) if configs else None
    return FinishedTest(folder, cfg, numbers, [] if cfg is None else _sets(cfg))


def _sets(cfg: Config) -> list[TestedSet]:
    evaluators = cfg.get('test_evaluator') or []
    found = []
    for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
        members = evaluator.get('sets', {'': evaluator})
        for name, metric in members.items():
            prefix, truth = metric.get('outfile_prefix'), metric.get('ann_file')
            if not prefix or not isinstance(truth, str):
                continue
            results = {kind: Path(f'{prefix}.{kind}.json') for kind in KINDS if Path(f'{prefix}.{kind}.json').is_file()}
            if results:
                found.append(TestedSet(name, Path(truth), results, _images(cfg, truth)))
    return found


def _images(cfg: Config, truth: str) -> Optional[Path]:
    """The folder of the pictures of the data set whose annotation file it is."""
    for dataset in _datasets(cfg.get('test_dataloader', {}).get('dataset')):
        root, file = dataset.get('data_root') or '', dataset.get('ann_file')
        if file and Path(root, file) == Path(truth):
            return Path(root, dataset.get('data_prefix', {}).get('img', ''))
    return None


def _datasets(dataset) -> list:
    """A data set, or the members of one, however deep."""
    if dataset is None:
        return []
    parts = dataset.get('datasets') or ([dataset['dataset']] if 'dataset' in dataset else [])
    return [dataset, *(member for part in parts for member in _datasets(part))]
