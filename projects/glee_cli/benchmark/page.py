"""The page docs/benchmarks.md, made of the tables that the programs read."""
from argparse import Namespace
from pathlib import Path
from typing import Iterator

import yaml

from ..configs import config_file
from ..configs.data_sources import find_source, read_tables
from ..configs.needed_files import needed_files
from .expected import expected_numbers, paper_number
from .suite import SIZES, SUITES, TABLE, Benchmark, read_benchmarks

_HEAD = """\
# Benchmarks: data, commands, expected numbers

Written by `python tools/misc/benchmarks_page.py` from `configs/glee/benchmarks.yml`, which `tools/benchmark.py` reads,
too. The numbers are the paper's, from `configs/glee/metafile.yml`, in per cent: of stage 2, after a slash of stage 3.
Ours are not yet measured on these data. A licence is named in short; the owner's page decides.

```bash
python tools/benchmark.py paper --checkpoint glee_lite.pth --work-dir work_dirs/paper --check   # what is missing
python tools/benchmark.py paper --checkpoint glee_lite.pth --work-dir work_dirs/paper           # the paper's tables
python tools/benchmark.py smoke --checkpoint work_dirs/quickstart/glee_mini.pth --work-dir work_dirs/smoke
```

Suites, and how many benchmarks are in them: {suites}.

A suite is continued by the same command; `benchmark_SUITE.md`, `.json` and `.html` in the work folder have ours beside
the paper's, time and memory. A row without data says which file is missing and where it is to be had. Several GPUs:
`torchrun --nproc-per-node 8 tools/benchmark.py paper ... --launcher pytorch`; several machines share the work folder
(with `srun`: `--launcher slurm`).
`smoke` is every benchmark that has a config of the small model, on a synthetic world of a few pictures: its numbers say
that everything runs, not how good it is. `paper`, `image` and `smoke` end with a curve of time and memory against the
number of names and of expressions (`tools/analysis_tools/many_names.py` alone measures it, too).
"""
_TRAININGS = """\
## Trainings of the paper that differ by one key

The command of each and what is in its table; then the test of each column. Nothing of it is measured here.
"""
_FOOT = """\

**Measured:** nothing on these data sets; that every benchmark with a small config runs (`smoke`), that killing and
continuing recomputes nothing, and that two processes give the numbers of one (`tests/test_tools/test_benchmark.py`).
**Not measured:** every number of the tables, which are the paper's.
"""


def benchmarks_page() -> str:
    """The whole page."""
    benchmarks = read_benchmarks()
    suites = ', '.join(f'`{name}` ({sum(name in one.suites for one in benchmarks)})' for name in SUITES)
    parts = [_HEAD.format(suites=suites), *(section(benchmark) for benchmark in benchmarks), _TRAININGS, *trainings()]
    return '\n'.join(parts) + _FOOT


def section(benchmark: Benchmark) -> str:
    """A benchmark: where its data are to be had, how they lie, its command and numbers."""
    tables, folder = read_tables(), 'data/'
    path = benchmark.config_of('r50')
    cfg = config_file.load_config(Namespace(config=str(path), cfg_options={}, launcher='none', work_dir='work_dirs/x',
                                            local_rank=0))
    sources: dict[str, list[str]] = {}
    for entry in needed_files(cfg, training=False):
        source = find_source(entry.path.removeprefix(folder), tables)
        words = (f'{source.origin}' + (f' ({source.made_by})' if source.made_by != 'as released' else '')
                 if source else 'yours')
        sources.setdefault(words, []).append(entry.path)
    lines = [f'## {benchmark.title}', '', f'`{benchmark.name}`, in the suites {", ".join(benchmark.suites)}.'
             if benchmark.suites else f'`{benchmark.name}`, in no suite.', '']
    if benchmark.note:
        lines += [f'{benchmark.note[0].upper()}{benchmark.note[1:]}.', '']
    lines += [f'- From {words}: ' + _paths(paths) for words, paths in sources.items()]
    lines += [f'- Licence: {benchmark.licence}', '', '```bash',
              f'python tools/test.py configs/glee/{benchmark.config.format(size="r50")} glee_lite.pth' + ''.join(
                  f' --cfg-options {key}={value}' for key, value in benchmark.options.items()), '```', '',
              *_numbers(benchmark)]
    return '\n'.join(lines)


def trainings() -> Iterator[str]:
    """A section for each training that differs by one key."""
    for training in yaml.safe_load(TABLE.read_text(encoding='utf-8'))['trainings']:
        tool = f'python {training.get("tool", "tools/train.py")} configs/glee/{training["config"]}'
        lines = [f'### {training["title"]}', '', f'`{tool}`; {training["from"]}'
                 + (f'; {training["note"]}' if 'note' in training else '') + '.', '',
                 '| | key | ' + ' | '.join(training['columns']) + ' |',
                 '| --- | --- |' + ' --- |' * len(training['columns'])]
        for name, key in training['keys'].items():
            values = key['paper'] if 'paper' in key else [
                paper_number(f'GLEE-{column}', 'Few-Shot Object Detection', key['dataset'], 'box AP')
                for column in training['columns']]
            values = [*values, *[None] * (len(training['columns']) - len(values))]
            command = f'`{key["command"]}`' if key['command'] else ''
            lines.append(f'| {name} | {command} | ' + ' | '.join(_shown(value) for value in values) + ' |')
        yield '\n'.join([*lines, ''])


def write_page(path: Path) -> None:
    """Write the page to a file."""
    path.write_text(benchmarks_page(), encoding='utf-8')


def _numbers(benchmark: Benchmark) -> Iterator[str]:
    sizes = [size for size in SIZES if size != 'mini']
    by_stage = {(size, stage): expected_numbers(benchmark, size, stage) for size in sizes for stage in (2, 3)}
    if not any(by_stage.values()):
        yield 'The paper has no number: ' + ', '.join(f'{one.name} (`{one.key}`)' for one in benchmark.numbers) + '.'
        yield ''
        return
    yield '| number | ' + ' | '.join(SIZES[size] for size in sizes) + ' |'
    yield '| --- |' + ' --- |' * len(sizes)
    for number in benchmark.numbers:
        cells = []
        for size in sizes:
            second, third = (by_stage[size, stage].get(number.key) for stage in (2, 3))
            cells.append('-' if not second and not third else (_shown(second[0]) if second and second[1] == 2 else '-')
                         + (f' / {_shown(third[0])}' if third and third[1] == 3 else ''))
        yield f'| {number.name} (`{number.key}`) | ' + ' | '.join(cells) + ' |'
    yield ''


def _paths(paths: list[str]) -> str:
    """Most sets of ODinW lie alike: a few stand for all."""
    shown = paths if len(paths) <= 6 else paths[:4]
    return ', '.join(f'`{path}`' for path in shown) + (f' and {len(paths) - 4} more' if len(paths) > 6 else '')


def _shown(value) -> str:
    return '-' if value is None else f'{value:.1f}'
