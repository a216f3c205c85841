"""Measure time and memory of one picture against the number of names, and of expressions, that are asked for.

Examples:
    python tools/analysis_tools/many_names.py --model glee_mini --weights work_dirs/quickstart/glee_mini.pth
    python tools/analysis_tools/many_names.py --model glee_r50 --weights glee_lite.pth --picture street.jpg \\
        --out work_dirs/many_names --device cuda

Writes many_names.md, .json, .svg and .png to --out. The text of a vocabulary is encoded once, in its first picture;
"picture" is a later one. Memory is the peak above what the model and the picture take before: of the GPU, or of the
process, which may reuse what it has let go of. A point that would take longer than --most-seconds, by the one before
it, is left out and says so.
"""
import gc
import itertools
import json
import os
import statistics
import sys
import threading
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

import numpy as np
import torch
from rich.progress import track

from projects.glee.apis import GLEEInferencer
from projects.glee.datasets.vocabularies import load_vocabulary
from projects.glee_cli.startup import program

COUNTS = (1, 8, 80, 365, 1203, 10000)
_LOOKS = ('red', 'small', 'wooden', 'old', 'shiny', 'striped', 'broken', 'wet', 'round', 'heavy')
_LOOK = 0.003  # seconds
_PLACES = ('on the left', 'on the right', 'in front', 'in the back', 'next to the window')


class Point(NamedTuple):
    """One measurement. ``text``: seconds of the first picture beyond a later one; ``picture``: median seconds of a
    later one; ``memory``: MiB above the start. Without ``picture`` it was left out, as it ``expected`` so many s."""
    kind: str
    count: int
    text: Optional[float] = None
    picture: Optional[float] = None
    memory: Optional[float] = None
    expected: Optional[float] = None


def names_of(count: int) -> list[str]:
    """So many different names: those of LVIS, then the same with a word before them.

    Raises:
        ValueError: there are not so many.
    """
    plain = [name.replace('_', ' ') for name in load_vocabulary('lvis_v1')]
    more = (f'{look} {name}' for look in _LOOKS for name in plain)
    names = list(itertools.islice(dict.fromkeys(itertools.chain(plain, more)), count))
    if len(names) < count:
        raise ValueError(f'there are {len(names)} names, not {count}')
    return names


def expressions_of(count: int) -> list[str]:
    """So many different expressions of about six words."""
    return [f'the {name} {_PLACES[number % len(_PLACES)]}' for number, name in enumerate(names_of(count))]


class Memory:
    """Peak memory between ``start`` and ``peak``, MiB: of the GPU where the model is, or of this process, which is
    looked at every few milliseconds."""

    def __init__(self, device: str) -> None:
        self.device = device if torch.device(device).type == 'cuda' else None
        self.before = self.highest = 0.

    def start(self) -> None:
        """Forget earlier peaks."""
        gc.collect()
        if self.device is not None:
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
            self.before = torch.cuda.memory_allocated(self.device) / 2**20
            return
        self.before = self.highest = self._of_process()
        self.ended = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def peak(self) -> float:
        """The highest since ``start``, above what it was then."""
        if self.device is not None:
            return torch.cuda.max_memory_allocated(self.device) / 2**20 - self.before
        self.ended.set()
        self.watcher.join()
        return self.highest - self.before

    def _watch(self) -> None:
        while not self.ended.wait(_LOOK):
            self.highest = max(self.highest, self._of_process())

    @staticmethod
    def _of_process() -> float:
        pages = int(Path('/proc/self/statm').read_text().split()[1])
        return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def measure(ask: Callable[[str, list[str]], object], kind: str, counts: tuple[int, ...], repeats: int,
            most_seconds: float, memory: Memory, finish: Callable[[], None]) -> Iterator[Point]:
    """Points of one curve.

    Args:
        ask: the model's answer to texts of a kind, 'names' or 'expressions'.
        kind: one of them.
        counts: how many, ascending.
        repeats: pictures after the first.
        most_seconds: a picture that would take longer is left out.
        memory: where peaks are read.
        finish: waits until the device has done its work.
    """
    make, before = dict(names=names_of, expressions=expressions_of)[kind], None
    for count in counts:
        expected = before and before[1] * count / before[0]
        if expected and expected > most_seconds:
            yield Point(kind, count, expected=expected)
            continue
        texts, times = make(count), []
        memory.start()
        for _ in range(1 + repeats):
            start = time.perf_counter()
            ask(kind, texts)
            finish()
            times.append(time.perf_counter() - start)
        later = statistics.median(times[1:])
        before = (count, later)
        yield Point(kind, count, max(times[0] - later, 0.), later, memory.peak())


def as_markdown(points: list[Point], about: str) -> str:
    """A table of both kinds."""
    lines = ['# Time and memory against the number of names', '', about, '',
             '| asked for | how many | text, once | picture | peak memory above the start |', '|' + ' --- |' * 5]
    for point in points:
        cells = (f'{point.text:.3f} s | {point.picture:.3f} s | {point.memory:.0f} MiB' if point.picture is not None
                 else f'left out: a picture would take about {point.expected:.0f} s | | ')
        lines.append(f'| {point.kind} | {point.count:,} | {cells} |')
    return '\n'.join(lines) + '\n'


def draw(points: list[Point], files: list[Path]) -> None:
    """Both curves, time on the left and memory on the right."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    pyplot.rcParams['svg.hashsalt'] = 'many_names'
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.5), layout='constrained')
    for kind in dict.fromkeys(point.kind for point in points):
        found = [point for point in points if point.kind == kind and point.picture is not None]
        for axis, values in zip(axes, ([point.picture for point in found], [point.memory for point in found])):
            axis.plot([point.count for point in found], values, marker='o', label=kind)
    for axis, title in zip(axes, ('seconds of a picture', 'peak memory above the start, MiB')):
        axis.set(xscale='log', yscale='log', xlabel='how many are asked for', title=title)
        axis.legend()
    for file in files:
        figure.savefig(file, metadata={'Date': None} if file.suffix == '.svg' else None)
    pyplot.close(figure)


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('--model', default='glee_r50', metavar='NAME|CONFIG', help='default %(default)s')
    parser.add_argument('--weights', metavar='FILE', help='checkpoint; without one random weights, which take as long')
    parser.add_argument('--picture', metavar='FILE', help='default: noise of 640 x 480 px')
    parser.add_argument('--names', nargs='*', type=int, default=COUNTS, metavar='N', help='default %(default)s')
    parser.add_argument('--expressions', nargs='*', type=int, default=COUNTS, metavar='N', help='default %(default)s')
    parser.add_argument('--repeats', type=int, default=3, help='pictures after the first (default %(default)s)')
    parser.add_argument('--most-seconds', type=float, default=60., help='of a picture (default %(default)s)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='default %(default)s')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/many_names'), metavar='FOLDER',
                        help='default %(default)s')
    args = parser.parse_args()
    if args.repeats < 1 or min((*args.names, *args.expressions), default=1) < 1:
        parser.error('--repeats and every number of names and expressions must be at least 1')
    return args


def main() -> None:
    args = parse_args()
    try:
        glee = GLEEInferencer(args.model, args.weights, device=args.device)
        picture = args.picture or np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
        glee(picture, names=names_of(1))  # warms up
        longest = max((*args.names, *args.expressions), default=1)
        names_of(longest)
    except (ValueError, OSError) as error:
        sys.exit(f'many_names: {error}')
    finish = torch.cuda.synchronize if torch.device(args.device).type == 'cuda' else (lambda: None)
    memory, points = Memory(args.device), []
    for kind, counts in (('names', args.names), ('expressions', args.expressions)):
        found = measure(lambda kind, texts: glee(picture, **{kind: texts}, show_progress=False), kind,
                        tuple(sorted(counts)), args.repeats, args.most_seconds, memory, finish)
        points += track(found, kind, total=len(counts), transient=True)
    where = torch.cuda.get_device_name() if finish is torch.cuda.synchronize else (
        f'CPU, {torch.get_num_threads()} threads')
    about = (f'{args.model}, {args.weights or "random weights"}; {args.picture or "noise of 640 x 480 px"}; {where}; '
             f'median of {args.repeats}.')
    args.out.mkdir(parents=True, exist_ok=True)
    stem = args.out / 'many_names'
    stem.with_suffix('.md').write_text(as_markdown(points, about))
    stem.with_suffix('.json').write_text(json.dumps(dict(
        about=about, points=[point._asdict() for point in points]), indent=1) + '\n')
    draw(points, [stem.with_suffix('.svg'), stem.with_suffix('.png')])
    print(as_markdown(points, about))


if __name__ == '__main__':
    with program():
        main()
