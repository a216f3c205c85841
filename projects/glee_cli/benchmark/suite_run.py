"""A suite over one checkpoint: what it needs, its runs one after the other, tables after each."""
from argparse import Namespace
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

from mmengine.config import Config

from ..configs import config_file
from ..configs.data_sources import find_source, read_tables
from ..configs.needed_files import missing_files
from .expected import expected_numbers
from .member_run import LOG, MemberRun, digest_of
from .processes import Processes
from .suite import Benchmark

WAITING, RUNNING, DONE, FAILED, NO_DATA = 'waiting', 'running', 'done', 'failed', 'no data'


@dataclass
class Row:
    """A benchmark of a suite and how far it is.

    ``missing``: files that it lacks, each with where it is to be had. ``stamp``: of the finished run, see
    ``MemberRun.run``. ``kept``: finished before this program started. ``expected``: see ``expected_numbers``.
    """
    benchmark: Benchmark
    run: MemberRun
    cfg: Config
    identity: str
    expected: dict[str, tuple[float, int]]
    missing: list[dict[str, str]]
    state: str = WAITING
    stamp: Optional[dict] = None
    kept: bool = False
    seconds: float = 0.
    progress: str = ''
    remark: str = ''


def plan(benchmarks: Sequence[Benchmark], size: str, stage: int, checkpoint: str, work_dir: Path, suite: str,
         options: dict[str, Any], pictures: bool, python: str) -> list[Row]:
    """Rows of benchmarks; the finished ones have their stamps, those without data say what is missing.

    Args:
        benchmarks: see ``select``.
        size, stage: see ``expected_numbers``.
        checkpoint: file.
        work_dir: each row has a folder of its name in it.
        suite: 'smoke' adds the options of the small world.
        options: more of --cfg-options, for every row.
        pictures: draw every prediction.
        python: interpreter of the runs.

    Raises:
        ConfigError: an option fits nowhere, or a config is not there.
    """
    digest, tables, rows = digest_of(checkpoint), read_tables(), []
    for benchmark in benchmarks:
        given = {**benchmark.options, **(benchmark.smoke if suite == 'smoke' else {}), **options}
        run = MemberRun(config=benchmark.config_of(size), options=given, checkpoint=checkpoint, digest=digest,
                        folder=work_dir / benchmark.name, pictures=pictures, python=python)
        cfg = config_file.load_config(Namespace(config=str(run.config), cfg_options=given, launcher='none',
                                                work_dir=str(run.folder), local_rank=0))
        missing = [_lacking(entry.path, cfg.get('data_root') or '', tables)
                   for entry in missing_files(cfg, training=False)]
        identity = run.identity(cfg)
        stamp = run.result(identity)
        state = DONE if stamp else NO_DATA if missing else WAITING
        rows.append(Row(benchmark, run, cfg, identity, expected_numbers(benchmark, size, stage), missing, state, stamp,
                        kept=stamp is not None))
        _remark(rows[-1])
    return rows


def run_rows(rows: Sequence[Row], processes: Processes, show, save) -> None:
    """Run what is waiting.

    Args:
        rows: of ``plan``; all processes have the same.
        processes: which of several this is.
        show: context manager of the first process, called with the rows whenever they change.
        save: called after every row of the first process.
    """
    with show if processes.rank == 0 else nullcontext():
        if processes.rank == 0:
            show(rows)
        for number, row in enumerate(rows):
            if row.state == WAITING:
                _run(row, rows, number, processes, show)
                if processes.rank == 0:
                    save(rows)


def _run(row: Row, rows: Sequence[Row], number: int, processes: Processes, show) -> None:
    def watch(seconds: float, progress: str) -> None:
        row.seconds, row.progress = seconds, progress
        show(rows)

    row.state = RUNNING
    first = processes.rank == 0
    row.stamp = row.run.run(row.cfg, row.identity, processes.launcher, processes.environment(number), processes.rank,
                            **(dict(watch=watch) if first else {}))
    row.state = DONE if row.stamp is not None else FAILED
    _remark(row)
    if first:
        show(rows)


def _remark(row: Row) -> None:
    """What went wrong, in the last words of the program."""
    if row.state == FAILED or row.state == DONE and row.stamp.get('status'):
        trouble = 'failed' if row.state == FAILED else 'no report'
        row.remark = f'{trouble}, see {row.run.folder.name}/{LOG}: {_last_line(row.run.folder / LOG)}'


def _lacking(path: str, root: str, tables: list) -> dict[str, str]:
    """A missing file and where it is to be had."""
    source = find_source(path.removeprefix(root), tables)
    made_by = source.made_by if source is not None and source.made_by != 'as released' else ''
    return dict(path=path, origin=source.origin if source else 'yours', made_by=made_by)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding='utf-8', errors='replace').strip().splitlines() if log.is_file() else []
    return lines[-1][:200] if lines else 'it said nothing'
