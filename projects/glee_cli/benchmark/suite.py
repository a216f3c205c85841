"""The benchmarks of ``configs/glee/benchmarks.yml``."""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Sequence

import yaml

from ..configs.config_file import CONFIGS
from ..exits import ConfigError

TABLE = CONFIGS / 'benchmarks.yml'
SUITES = ('paper', 'image', 'video', 'odinw13', 'odinw35', 'interactive', 'smoke')
SIZES = {'r50': 'GLEE-Lite', 'swin-l': 'GLEE-Plus', 'eva02-l': 'GLEE-Pro', 'mini': 'mini'}


@dataclass(frozen=True)
class Number:
    """A number of a benchmark. ``key``: as the metric calls it; ``name``: for people; ``task``: of the paper's number
    in ``metafile.yml``, empty where the paper has none; ``scale``: what it is multiplied by to be shown."""
    key: str
    name: str
    task: str
    scale: float


@dataclass(frozen=True)
class Benchmark:
    """A row of the table, see the head of ``benchmarks.yml``."""
    name: str
    title: str
    suites: tuple[str, ...]
    config: str
    numbers: tuple[Number, ...]
    licence: str
    note: str = ''
    mini: Optional[str] = None
    mini_numbers: Optional[tuple[Number, ...]] = None
    options: dict[str, Any] = field(default_factory=dict)
    smoke: dict[str, Any] = field(default_factory=dict)

    def config_of(self, size: str) -> Path:
        """Its config file of a size.

        Raises:
            ConfigError: the small model has none.
        """
        if size == 'mini':
            if self.mini is None:
                raise ConfigError(f'benchmark {self.name} has no config of the small model')
            return CONFIGS / self.mini
        return CONFIGS / self.config.format(size=size)

    def numbers_of(self, size: str) -> tuple[Number, ...]:
        """Its numbers; MiniWorld may have others."""
        return self.mini_numbers if size == 'mini' and self.mini_numbers else self.numbers


def read_benchmarks(path: Path = TABLE) -> list[Benchmark]:
    """All benchmarks in the order of the file."""
    content = yaml.safe_load(path.read_text(encoding='utf-8'))
    as_they_are = set(content['not_fractions'])

    def numbers(metrics: Optional[dict]) -> Optional[tuple[Number, ...]]:
        if metrics is None:
            return None
        return tuple(Number(key, name.rpartition(': ')[2], name.rpartition(': ')[0], 1. if key in as_they_are else 100.)
                     for key, name in metrics.items())

    return [
        Benchmark(
            name=entry['name'], title=entry['title'], suites=tuple(entry['suites']) + ('smoke', ) * ('mini' in entry),
            config=entry['config'], numbers=numbers(entry['metrics']), licence=content['licences'][entry['licence']],
            note=entry.get('note', ''), mini=entry.get('mini'), mini_numbers=numbers(entry.get('mini_metrics')),
            options=entry.get('options', {}), smoke=entry.get('smoke', {})) for entry in content['benchmarks']
    ]


def select(benchmarks: Sequence[Benchmark], suite: str, only: Sequence[str] = ()) -> list[Benchmark]:
    """The benchmarks of a suite, or those called ``only``, in or out of it.

    Raises:
        ConfigError: there is no such benchmark.
    """
    names = [benchmark.name for benchmark in benchmarks]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise ConfigError(f'--only {" ".join(unknown)}: choose from {", ".join(names)}')
    return [benchmark for benchmark in benchmarks
            if (benchmark.name in only if only else suite in benchmark.suites)]
