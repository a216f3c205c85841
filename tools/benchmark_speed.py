"""Measure how fast a model is: pictures, expressions, clicks, video and a training step, and what makes it so.

Examples:
    python tools/benchmark_speed.py --model glee_r50 --weights glee_lite.pth --out speed.json
    python tools/benchmark_speed.py --jobs image --sizes 640x640 800x1333 --texts 1 80 1203 --without reference
    python tools/benchmark_speed.py --jobs training --sizes 320x320 --texts 80 --without sampling products --threads 2

A table is printed; --out has all of it as JSON, with hardware and versions. Every job runs in turn with itself without
the named optimisations, in one process; a ratio is old over new, the median of the pairs, in wall and in CPU time.
'reference' is without all of them: text encoded in each call with its teacher, all masks, attention that is held as a
whole, grid_sample. --beside times a model of another package in the same rounds: Grounding DINO-T of transformers on
the same picture and as many names. Without --weights the weights are random, which takes as long. Parts are in CPU time
where the model is on a CPU. GFLOP are counted of pictures by names on squares whose sides are multiples of 64, on a
CPU; there the share of the rate of a matrix product is that of a core, in CPU time.
"""
import json
import platform
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from contextlib import nullcontext
from functools import partial
from importlib import metadata
from pathlib import Path

import torch

from projects.glee.apis import GLEEInferencer
from projects.glee.models.detectors.compiled_network import MODES, compile_network
from projects.glee.utils.complexity import count_flops
from projects.glee_cli.speed.jobs import JOBS, Setting, names_of
from projects.glee_cli.speed.measuring import breakdown, interleaved, matmul_rate, peak_memory, ratio
from projects.glee_cli.speed.peers import PEERS
from projects.glee_cli.speed.ways import WAYS, without
from projects.glee_cli.startup import program

PACKAGES = ('torch', 'onedl-mmcv', 'onedl-mmdetection', 'onedl-mmengine', 'transformers', 'numba', 'numpy')


def machine(device: torch.device, dtype: torch.dtype) -> dict:
    """Hardware, versions, and the rate of a matrix product."""
    cpu = next((line.split(':')[1].strip() for line in Path('/proc/cpuinfo').read_text().splitlines()
                if line.startswith('model name')), platform.processor()) if Path('/proc/cpuinfo').exists() else ''
    return dict(cpu=cpu, threads=torch.get_num_threads(), device=str(device),
                gpu=torch.cuda.get_device_name(device) if device.type == 'cuda' else None,
                dtype=str(dtype).removeprefix('torch.'), python=platform.python_version(), system=platform.platform(),
                versions={name: metadata.version(name) for name in PACKAGES},
                matmul_gflops=matmul_rate(device, dtype))


def measure(glee: GLEEInferencer, job: str, setting: Setting, args: Namespace, rate: float) -> dict:
    """One row: times, memory, parts, GFLOP and ratios."""
    model, device = glee.model, next(glee.model.parameters()).device
    finish = torch.cuda.synchronize if device.type == 'cuda' else (lambda: None)
    model.eval()
    call = JOBS[job](glee, setting)
    call()  # warm
    memory = peak_memory(call, device)  # before other models lie beside it
    calls = dict(now=(call, nullcontext))
    calls.update({name: (call, partial(without, model, (name, ))) for name in args.without})
    peers = args.beside if job == 'image' else []
    dtype = next(model.parameters()).dtype
    calls.update({name: (PEERS[name](setting, device, dtype), nullcontext) for name in peers})
    times = interleaved(calls, args.repeats, finish)
    row = dict(job=job, size=list(setting.size), texts=setting.texts,
               seconds=times['now'].summary(setting.frames if job == 'video' else 1),
               ratios={name: ratio(times[name], times['now']) for name in (*args.without, *peers)},
               beside={name: times[name].summary() for name in peers},
               memory_mib=memory, gflop=None, matmul_share=None,
               parts=None if args.compile else breakdown(  # clocks would cut a compiled graph
                   model, call, finish, time.process_time if device.type == 'cpu' else time.perf_counter))
    height, width = setting.size
    if job == 'image' and height == width and height % 64 == 0 and device.type == 'cpu':
        with torch.compiler.set_stance('force_eager'):
            flops = count_flops(model, height, names_of(setting.texts)).parts
        row['gflop'] = sum(value for part, value in flops.items() if not part.startswith('text')) / 1e9
        row['matmul_share'] = row['gflop'] / row['seconds']['cpu_median'] / rate
    return row


def as_table(rows: list[dict]) -> str:
    """The rows in Markdown."""
    lines = ['| job | size | texts | median s | p90 s | per s | CPU s | peak MiB | of matmul rate | old / new |',
             '|' + ' --- |' * 10]
    for row in rows:
        share = '' if row['matmul_share'] is None else f'{row["matmul_share"]:.0%}'
        ratios = ', '.join(f'{name} {value["cpu"]:.2f}' for name, value in row['ratios'].items())
        seconds = row['seconds']
        lines.append(f'| {row["job"]} | {row["size"][0]} x {row["size"][1]} | {row["texts"]} | {seconds["median"]:.3f} '
                     f'| {seconds["p90"]:.3f} | {seconds["fps"]:.2f} | {seconds["cpu_median"]:.3f} '
                     f'| {row["memory_mib"]["peak"]:.0f} | {share} | {ratios} |')
    return '\n'.join(lines)


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('--model', default='glee_r50', metavar='NAME|CONFIG', help='default %(default)s')
    parser.add_argument('--weights', metavar='FILE', help='checkpoint; by default random weights')
    parser.add_argument('--jobs', nargs='+', choices=JOBS, default=list(JOBS), help='default: all')
    parser.add_argument('--sizes', nargs='+', default=['640x640'], metavar='HxW', help='px (default 640x640)')
    parser.add_argument('--texts', nargs='+', type=int, default=[80], metavar='N',
                        help='names, or expressions, of a call (default 80)')
    parser.add_argument('--without', nargs='*', choices=(*WAYS, 'reference'), default=[], help='ratios to measure')
    parser.add_argument('--beside', nargs='*', choices=PEERS, default=[],
                        help='models of other packages, in the rows of pictures: random weights, no download')
    parser.add_argument('--repeats', type=int, default=5, help='counted calls (default %(default)s)')
    parser.add_argument('--frames', type=int, default=4, help='of the video (default %(default)s)')
    parser.add_argument('--batch', type=int, default=2, help='of the training step (default %(default)s)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='default %(default)s')
    parser.add_argument('--dtype', choices=('float32', 'bfloat16', 'float16'), default='float32',
                        help='of the weights; of autocast in the training step (default %(default)s)')
    parser.add_argument('--threads', type=int, help="default: torch's own choice")
    parser.add_argument('--compile', nargs='?', const='default', choices=MODES, metavar='MODE',
                        help=f'torch.compile of backbone, pixel decoder and decoder: {", ".join(MODES)}')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='where to write everything')
    args = parser.parse_args()
    try:
        args.sizes = [tuple(map(int, size.split('x'))) for size in args.sizes]
    except ValueError:
        parser.error('--sizes are HEIGHTxWIDTH, e.g. 640x640')
    if any(len(size) != 2 or min(size) < 32 for size in args.sizes) or min(
            *args.texts, args.repeats, args.frames, args.batch, args.threads or 1) < 1:
        parser.error('--sizes are HEIGHTxWIDTH of at least 32, and all numbers at least 1')
    return args


def main() -> None:
    args = parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    device, dtype = torch.device(args.device), getattr(torch, args.dtype)
    try:
        names_of(max(args.texts))
        glee = GLEEInferencer(args.model, args.weights, device=args.device)
    except (ValueError, OSError) as error:
        sys.exit(f'benchmark_speed: {error}')
    if args.compile:
        compile_network(glee.model, args.compile)
    about, rows = machine(device, dtype), []
    for job in args.jobs:
        for size in args.sizes:
            for texts in [1] if 'click' in job else args.texts:
                setting = Setting(size, texts, args.frames, args.batch, amp=None if dtype == torch.float32 else dtype)
                glee.model.to(dtype)
                rows.append(measure(glee, job, setting, args, about['matmul_gflops']))
                print(as_table(rows).splitlines()[-1], file=sys.stderr, flush=True)
    print(as_table(rows))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(dict(
            model=args.model, weights=args.weights, repeats=args.repeats, compiled=args.compile, machine=about,
            rows=rows), indent=1) + '\n')


if __name__ == '__main__':
    with program():
        main()
