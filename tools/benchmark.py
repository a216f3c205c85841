"""Run a suite of benchmarks over one checkpoint: a table with the paper's numbers beside ours.

Examples:
    python tools/benchmark.py smoke --checkpoint work_dirs/quickstart/glee_mini.pth --work-dir work_dirs/smoke
    python tools/benchmark.py paper --checkpoint glee_lite.pth --stage 3 --work-dir work_dirs/paper
    python tools/benchmark.py image --checkpoint glee_plus.pth --size swin-l --work-dir work_dirs/plus --check
    torchrun --nproc-per-node 8 tools/benchmark.py video --checkpoint glee_lite.pth --work-dir work_dirs/video \\
        --launcher pytorch

Each benchmark is one run of tools/test.py in a folder of its own. Run the same command again to continue: what is
finished stays, and tests of videos and clicks go on inside. benchmark_SUITE.md, .json and .html are written after every
row. Files that are missing are named, with where they are to be had, before anything starts; their rows stay empty.
smoke is everything on a small synthetic world that it makes itself. Each row has a report.html (glee analyse); paper,
image and smoke end with a curve of time and memory against the number of names. docs/benchmarks.md has all benchmarks.

Exit codes: 0 every row that has data is done, 1 an unexpected error, 2 wrong use, 3 a run failed.
"""
import os
import platform
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from functools import partial
from importlib.metadata import version
from pathlib import Path

from projects.glee_cli import startup
from projects.glee_cli.benchmark import SIZES, SUITES, read_benchmarks, select
from projects.glee_cli.benchmark.expected import STAGES
from projects.glee_cli.benchmark.names_curve import run_curve
from projects.glee_cli.benchmark.processes import Processes
from projects.glee_cli.benchmark.screen import Screen
from projects.glee_cli.benchmark.smoke_world import make_world
from projects.glee_cli.benchmark.suite_run import DONE, FAILED, NO_DATA, plan, run_rows
from projects.glee_cli.benchmark.tables import lacking, save_tables
from projects.glee_cli.configs.cfg_options import DictAction
from projects.glee_cli.exits import OK, SOME_FAILED, ConfigError, one_line_errors

CURVES = ('paper', 'image', 'smoke')  # with time and memory against the number of names


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('suite', choices=SUITES, metavar='SUITE', help=', '.join(SUITES))
    parser.add_argument('--checkpoint', required=True, metavar='FILE',
                        help='ours, or a released GLEE file as it was downloaded')
    parser.add_argument('--work-dir', required=True, metavar='FOLDER', help='logs, results and tables; several '
                        'machines need to share it')
    parser.add_argument('--size', choices=SIZES, help='of the model; by default what the weights are')
    parser.add_argument('--stage', type=int, choices=STAGES, default=2,
                        help='of the checkpoint, for the paper\'s numbers (default %(default)s)')
    parser.add_argument('--only', nargs='+', default=[], metavar='NAME', help='some benchmarks, of any suite')
    parser.add_argument('--data-root', metavar='FOLDER', help='where the data are (default: data/, with --size mini '
                        'data/miniworld/; smoke makes its own)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                        help='as for tools/test.py, for every benchmark')
    parser.add_argument('--pictures', action='store_true', help='draw every prediction (smoke always does)')
    parser.add_argument('--check', action='store_true', help='only say what is there and what is missing')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none',
                        help='how several processes, one for each GPU, were started')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by launchers')
    parser.add_argument('--debug', action='store_true', help='show the traceback of a mistake')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    with startup.program(), one_line_errors(args.debug):
        rows, about, processes = prepare(args)
        screen = Screen(about['size'])
        save = partial(save_tables, about=about, work_dir=Path(args.work_dir))
        if processes.rank == 0:
            say_missing(rows)
        if args.check:
            return OK
        run_rows(rows, processes, screen, save)
    failed = any(row.state == FAILED for row in rows)
    if processes.rank == 0:
        trouble = measure_names(args, about) if rows else None
        done = sum(row.state == DONE for row in rows)
        print(*filter(None, [trouble]), f'{done} of {len(rows)} benchmarks done:', *map(str, save(rows)), sep='\n')
        failed |= trouble is not None
    return SOME_FAILED if failed else OK


def measure_names(args: Namespace, about: dict) -> str | None:
    """The curve of many names where it is part of the suite; a line if it failed."""
    if args.suite not in CURVES or args.only:
        return None
    options = ['--repeats', '1', '--most-seconds', '10'] if args.suite == 'smoke' else []
    return run_curve(Path(args.work_dir).resolve(), f'glee_{about["size"]}', args.checkpoint, about['sha256'],
                     os.environ.get('GLEE_PYTHON', sys.executable), options)


def prepare(args: Namespace):
    """Rows, what is said of the run, and which process this is.

    Raises:
        ConfigError: wrong use.
    """
    if not Path(args.checkpoint).is_file():
        raise ConfigError(f'--checkpoint {args.checkpoint} is no file')
    try:
        processes = Processes.of_launcher(args.launcher)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    work_dir = Path(args.work_dir).resolve()
    size = 'mini' if args.suite == 'smoke' else args.size or size_of(args.checkpoint)
    benchmarks = select(read_benchmarks(), args.suite, args.only)
    if size == 'mini':
        benchmarks = [benchmark for benchmark in benchmarks if benchmark.mini]
    python = os.environ.get('GLEE_PYTHON', sys.executable)
    options = dict(args.cfg_options)
    root = args.data_root
    if args.suite == 'smoke' and root is None:
        root = str(make_world(work_dir / 'miniworld', python))
    if root is not None:
        options['data_root'] = os.path.join(root, '')
    rows = plan(benchmarks, size, args.stage, str(Path(args.checkpoint).resolve()), work_dir, args.suite, options,
                args.pictures or args.suite == 'smoke', python)
    about = dict(suite=args.suite, size=size, model=f'{SIZES[size]}, stage {args.stage}' if size != 'mini' else
                 'the small model', stage=args.stage, checkpoint=args.checkpoint,
                 sha256=rows[0].run.digest if rows else '', machine=machine(), processes=processes.size)
    return rows, about, processes


def size_of(checkpoint: str) -> str:
    """The size of a model by the names of its weights.

    Raises:
        ConfigError: it is none that we know, or the file is refused.
    """
    from projects.glee.engine.checkpoints.model_size import guess_model_size
    try:
        size = guess_model_size(checkpoint)
    except (ValueError, OSError) as error:
        raise ConfigError(str(error)) from error
    if size is None:
        raise ConfigError(f'--checkpoint {checkpoint}: its weights are of no size that is known; name it with --size '
                          f'{{{",".join(SIZES)}}}')
    return size


def machine() -> str:
    """The GPU of this machine, or its processor; without the seconds that importing torch takes."""
    asked = shutil.which('nvidia-smi') and subprocess.run(
        ['nvidia-smi', '--query-gpu=name', '--format=csv,noheader'], capture_output=True, text=True)
    names = asked.stdout.splitlines() if asked and asked.returncode == 0 else []
    return f'{names[0] if names else f"{platform.machine()} CPU"}, torch {version("torch")}'


def say_missing(rows) -> None:
    """What each row without data lacks."""
    for row in rows:
        if row.state == NO_DATA:
            print(f'{row.benchmark.name}: missing', *lacking(row), sep='\n    ')
    ready = sum(row.state != NO_DATA for row in rows)
    print(f'{ready} of {len(rows)} benchmarks have all their files', flush=True)


if __name__ == '__main__':
    sys.exit(main())
