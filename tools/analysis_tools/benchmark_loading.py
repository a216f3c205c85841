"""How fast each training source loads, and how much memory its annotations take.

Examples:
    python tools/analysis_tools/benchmark_loading.py sources configs/glee/glee_r50_stage2.py \\
        --cfg-options data_root=data/miniworld/ --workers 4 --images 200
    python tools/analysis_tools/benchmark_loading.py objects365 --fraction 0.01 --folder o365

`sources` prints images/s of every source of a training config and the memory of the loader's workers.
`objects365` writes a synthetic annotation file as large as that of Objects365 v2 (or a fraction of it),
reads it into a memory-mapped store, and prints the peak memory of that and what each worker adds.
Private memory is what a process wrote itself; the pages of a mapped store belong to the page cache.
"""
import json
import multiprocessing
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np
from mmdet.registry import DATASETS
from mmdet.utils import register_all_modules
from mmengine.dataset import pseudo_collate
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch.utils.data import DataLoader, get_worker_info

import projects.glee  # noqa: F401  (registers every component)
from projects.glee.datasets import load_vocabulary
from projects.glee.engine.runner import run_config
from projects.glee_cli.configs.config_file import add_common_arguments
from projects.glee_cli.configs.missing_data import check_data
from projects.glee_cli.exits import one_line_errors

IMAGES, BOXES = 1_817_287, 26_563_198  # Objects365 v2 (supplement, table 1)
MB = 1 << 20


def memory() -> dict[str, float]:
    """Memory of this process in MB: resident, and the part that it wrote and shares with nobody."""
    rows = Path('/proc/self/smaps_rollup').read_text().splitlines()
    kilobytes = {row.split(':')[0]: int(row.split()[1]) for row in rows[1:]}
    # Not Private_Clean: pages of the store that no other process happens to have read belong to the page cache.
    return dict(resident=kilobytes['Rss'] / 1024, private=kilobytes['Private_Dirty'] / 1024)


class Measured:
    """A data set whose items are measurements: the memory of the worker that loaded the item.

    A measurement takes longer than an item of a store, so that only the first and the last item of each worker have
    one, the others None. Loaders give items to their workers by turns.
    """

    def __init__(self, dataset, fetch, indices: np.ndarray, workers: int) -> None:
        self.dataset, self.fetch, self.indices, self.workers = dataset, fetch, indices, workers

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> tuple:
        self.fetch(self.dataset, int(self.indices[position]))
        worker, workers = get_worker_info(), max(self.workers, 1)
        between = workers <= position < len(self) - workers
        return 0 if worker is None else worker.id, None if between else memory()


def worker_memory(dataset, fetch, indices: np.ndarray, workers: int) -> list[dict]:
    """Per worker: resident and private memory (MB) at its end, and what it added; without workers this process."""
    loader = DataLoader(Measured(dataset, fetch, indices, workers), batch_size=1, num_workers=workers, collate_fn=list,
                        multiprocessing_context='fork' if workers else None)
    seen = {}
    for (worker, now), in loader:
        if now is None:
            continue
        first = seen.setdefault(worker, dict(first=now['private']))
        first.update(now, added=now['private'] - first['first'])
    return [seen[worker] for worker in sorted(seen)]


# ---- sources ----

def benchmark_sources(args: Namespace) -> None:
    with one_line_errors(args.debug):
        cfg = run_config.load_config(args)
        cfg.val_cfg = None
        check_data(cfg, training=True)
    table = Table('source', 'images', 'images/s', 'resident MB', 'private MB', title=args.config)
    rng = np.random.default_rng(0)
    for source in track(cfg.train_dataloader.dataset.datasets, 'sources', transient=True):
        dataset = DATASETS.build(source)
        name = next(step.source for step in source.pipeline if step.type == 'SetSource')
        indices = rng.integers(len(dataset), size=args.images)
        loader = DataLoader(dataset, batch_size=2, num_workers=args.workers, collate_fn=pseudo_collate,
                            sampler=indices.tolist(), multiprocessing_context='fork' if args.workers else None)
        batches = iter(loader)
        next(batches)  # the workers have started
        start = time.perf_counter()
        loaded = sum(len(batch['data_samples']) for batch in batches)
        rate = loaded / (time.perf_counter() - start)
        used = worker_memory(dataset, type(dataset).__getitem__, indices[:8 * max(args.workers, 1)], args.workers)
        table.add_row(name, str(len(dataset)), f'{rate:.1f}', *(
            f'{max(worker[key] for worker in used):.0f}' for key in ('resident', 'private')))
    Console(width=100).print(table)
    print('memory: the largest of the workers' if args.workers else 'memory: this process, which loads')


# ---- objects365 ----

def write_objects365(path: Path, fraction: float, seed: int = 0) -> tuple[int, int]:
    """Write a synthetic file with the keys of Objects365 v2; numbers of images and boxes."""
    images, boxes = round(IMAGES * fraction), round(BOXES * fraction)
    rng = np.random.default_rng(seed)
    block = 20000
    with path.open('w') as file:
        file.write('{"images": [')
        for i in range(images):
            name = f'images/v2/patch{i % 51}/objects365_v2_{i:08d}.jpg'
            file.write(f'{", " if i else ""}{{"height": 768, "id": {i + 1}, "license": 5, "width": 1024, '
                       f'"file_name": "{name}", "url": ""}}')
        file.write('], "annotations": [')
        for start in track(range(0, boxes, block), 'writing', transient=True):
            count = min(block, boxes - start)
            owner, label = rng.integers(images, size=count) + 1, rng.integers(365, size=count) + 1
            corner, size = rng.uniform(0, 700, (count, 2)), rng.uniform(1, 60, (count, 2))
            rows = (f'{{"id": {start + i + 1}, "iscrowd": 0, "isfake": 0, "area": {w * h:.8f}, "isreflected": 0, '
                    f'"bbox": [{x:.10f}, {y:.10f}, {w:.10f}, {h:.10f}], "image_id": {image}, "category_id": {name}}}'
                    for i, (image, name, (x, y), (w, h)) in enumerate(zip(
                        owner.tolist(), label.tolist(), corner.tolist(), size.tolist())))
            file.write((', ' if start else '') + ', '.join(rows))
        categories = [dict(id=i + 1, name=name) for i, name in enumerate(load_vocabulary('objects365_v2'))]
        file.write(f'], "categories": {json.dumps(categories)}}}')
    return images, boxes


def open_synthetic(folder: str):
    """The data set of the synthetic file, without pictures."""
    register_all_modules()
    return DATASETS.build(dict(
        type='TextObjects365Dataset', data_root=folder, ann_file='objects365.json', data_prefix=dict(img='train/'),
        filter_cfg=dict(filter_empty_gt=True), vocabulary='objects365_v2', masks='ignored', check_files=False,
        cache_dir=f'{folder}/cache', pipeline=[]))


def measure_reading(folder: str, queue) -> None:
    """In a process of its own: peak memory of making the store, MB."""
    before, start = memory()['resident'], time.perf_counter()
    size = len(open_synthetic(folder))
    # VmHWM, because ru_maxrss is inherited from the parent process.
    status = Path('/proc/self/status').read_text().splitlines()
    peak = next(int(row.split()[1]) for row in status if row.startswith('VmHWM')) / 1024
    queue.put(dict(images=size, seconds=time.perf_counter() - start, before_mb=before, peak_mb=peak))


def measure_opening(folder: str, workers: int, reads: int, queue) -> None:
    """In a process of its own: time to open the finished store, MB that each worker adds."""
    start = time.perf_counter()
    dataset = open_synthetic(folder)
    seconds = time.perf_counter() - start
    indices = np.random.default_rng(0).integers(len(dataset), size=reads)
    used = worker_memory(dataset, lambda data, index: data.get_data_info(index), indices, workers)
    queue.put(dict(open_seconds=seconds, worker_added_mb=max(w['added'] for w in used),
                   worker_private_mb=max(w['private'] for w in used),
                   worker_resident_mb=max(w['resident'] for w in used)))


def benchmark_objects365(args: Namespace) -> None:
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    images, boxes = write_objects365(folder / 'objects365.json', args.fraction)
    result = dict(fraction=args.fraction, images_in_file=images, boxes=boxes,
                  file_mb=(folder / 'objects365.json').stat().st_size / MB)
    # A peak is measured in a fresh process: here, freed memory of the writing would be used again.
    for target, method, arguments in ((measure_reading, 'spawn', ()),
                                      (measure_opening, 'fork', (args.workers, args.reads))):
        context = multiprocessing.get_context(method)
        queue = context.Queue()
        process = context.Process(target=target, args=(str(folder), *arguments, queue))
        process.start()
        while process.is_alive() and queue.empty():
            time.sleep(0.2)
        if queue.empty():
            sys.exit(f'{target.__name__} ended with exit code {process.exitcode} and no result')
        result.update(queue.get())
        process.join()
    result['store_mb'] = sum(p.stat().st_size for p in (folder / 'cache').rglob('*')) / MB
    print(json.dumps({key: round(value, 3) for key, value in result.items()}, indent=1))


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    sources = commands.add_parser('sources', help='images/s and memory of every source of a config')
    add_common_arguments(sources)
    sources.add_argument('--images', type=int, default=200, help='images to load per source (default: 200)')
    synthetic = commands.add_parser('objects365', help='memory of annotations of a given size')
    synthetic.add_argument('--fraction', type=float, default=1.0, help='of the real size (default: 1)')
    synthetic.add_argument('--folder', required=True, help='where to write; the full size takes 9 GB')
    synthetic.add_argument('--reads', type=int, default=20000, help='items that the workers read (default: 20000)')
    for command in (sources, synthetic):
        command.add_argument('--workers', type=int, default=4,
                             help='loader workers, 0 loads in the process itself (default: 4)')
    args = parser.parse_args()
    for option, least in (('workers', 0), ('images', 1), ('reads', 1)):
        if getattr(args, option, least) < least:
            parser.error(f'--{option} {getattr(args, option)}: give {least} or more')
    return args


def main() -> None:
    args = parse_args()
    register_all_modules()
    benchmark_sources(args) if args.command == 'sources' else benchmark_objects365(args)


if __name__ == '__main__':
    main()
