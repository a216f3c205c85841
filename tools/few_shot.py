"""Fine-tune on a few pictures of each category with several seeds: mean and spread, as ODinW's few-shot tables.

Example:
    python tools/few_shot.py configs/glee/image/glee_r50_odinw-few-shot.py glee_lite.pth --work-dir work_dirs/few_shot
    python tools/few_shot.py configs/glee/finetune/glee_mini_finetune.py glee_mini.pth --sets sets.json \
        --shots 1 10 all --iterations 100 200 400 --work-dir work_dirs/few_shot

For each set, number of pictures per category ("all": every picture) and seed: choose the pictures, fine-tune, keep the
best checkpoint on the validation file, test it. The checkpoint itself is tested first (0 pictures). Every run is a
process of its own and leaves result.json in its folder; run the command again, after whatever ended it, and the rest is
done. The table, few_shot.md and few_shot.json, is written anew after each run.

--sets is ODinW-13 or ODinW-35 (odinw13, odinw35; below data/odinw/dataset/, tested on their validation files) or a
JSON file, by name of set:
    {"cells": {"train": "cells/train.json", "val": "cells/val.json", "test": "cells/test.json", "images": "cells/pics"}}
Without "test" it is "val"; "val_images" and "test_images" are by default "images". Names with @ choose members of a
group: odinw35@BCCD.
"""
import copy
import json
import multiprocessing
import os
import statistics
import sys
import threading
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from mmengine.config import Config

from projects.glee.engine.checkpoints.durable_files import replacing
from projects.glee_cli.configs.cfg_options import DictAction
from projects.glee_cli.exits import ConfigError
from projects.glee_cli.startup import program

ITERATIONS = {1: 200, 3: 300, 5: 400, 10: 600, None: 2000}  # by shots; ours, the paper's count epochs
ODINW = Path(__file__).resolve().parents[1] / 'configs/glee/_base_/datasets/odinw.py'
KEY = 'coco/bbox_mAP'


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('config', help='of fine-tuning: glee_*_odinw-few-shot, glee_*_finetune, or one like them')
    parser.add_argument('checkpoint', help='where every run starts')
    parser.add_argument('--work-dir', required=True, type=Path, help='folder of the runs and the table')
    parser.add_argument('--sets', default='odinw13', help='odinw13, odinw35 or a JSON file (default %(default)s)')
    parser.add_argument('--shots', nargs='+', type=read_shots, default=[1, 3, 5, 10, None], metavar='N|all',
                        help='pictures per category (default 1 3 5 10 all)')
    parser.add_argument('--seeds', nargs='+', type=int, default=[3, 30, 300], help='default 3 30 300')
    parser.add_argument('--iterations', nargs='+', type=int, metavar='N',
                        help='one number, or one for each of --shots (default: by shots, 200 to 2000)')
    parser.add_argument('--validations', type=int, default=4,
                        help='how often the validation file chooses in a run (default %(default)s)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                        help='further settings of the config, as of tools/train.py')
    return parser.parse_args()


def read_shots(word: str) -> int | None:
    """A number of pictures; None for all."""
    return None if word == 'all' else int(word)


def main() -> None:
    args = parse_args()
    sets, runs = read_sets(args.sets), plan(args)
    missing = [path for files in sets.values() for path in files.values() if not Path(path).exists()]
    for path in [args.checkpoint, *missing]:
        if not Path(path).exists():
            raise ConfigError(f'{path} does not exist')
    context = multiprocessing.get_context('forkserver')  # its children have imported what takes seconds
    context.set_forkserver_preload(['mmdet.models', 'mmdet.datasets', 'mmdet.evaluation', 'projects.glee'])
    failed = []
    for shots, seed, iterations in runs:  # seed by seed: after the first the table has every cell
        for name, files in sets.items():
            folder = folder_of(args.work_dir, name, shots, seed, iterations)
            if not (folder / 'result.json').is_file():
                print(f'{name}: {label(shots, iterations)}, seed {seed}: {folder}', flush=True)
                process = context.Process(target=run_alone, args=(args, files, shots, seed, iterations, folder))
                process.start()
                process.join()
                if process.exitcode:
                    failed.append(folder)
            write_table(args.work_dir, sets, runs)
    print((args.work_dir / 'few_shot.md').read_text())
    if failed:
        sys.exit(f'few_shot: {len(failed)} runs ended with an error, see the log in {failed[0]}')


def plan(args: Namespace) -> list[tuple]:
    """(shots, seed, iterations) of every run of a set; 0 iterations test the checkpoint itself."""
    count = args.iterations or [ITERATIONS.get(shots, 600) for shots in args.shots]
    if len(count) not in (1, len(args.shots)):
        raise ConfigError(f'--iterations has {len(count)} numbers for {len(args.shots)} of --shots')
    if min([*count, args.validations, *(shots or 1 for shots in args.shots)]) < 1:
        raise ConfigError('--shots, --iterations and --validations are 1 or more')
    count = count * len(args.shots) if len(count) == 1 else count
    return [(0, 0, 0), *((shots, seed, steps) for seed in args.seeds for shots, steps in zip(args.shots, count))]


def label(shots: int | None, iterations: int) -> str:
    """How a row is called."""
    return 'zero-shot' if not iterations else 'all' if shots is None else f'{shots}-shot'


def folder_of(work_dir: Path, name: str, shots: int | None, seed: int, iterations: int) -> Path:
    """Of a run; runs of another length have another folder."""
    return work_dir / name / (f'{"all" if shots is None else shots}_shots_{iterations}_iterations_seed_{seed}'
                              if iterations else 'zero_shot')


# ---- sets ----
def read_sets(words: str) -> dict[str, dict[str, str]]:
    """By name ``train``, ``val``, ``test`` (COCO files) and ``images``, ``val_images``, ``test_images`` (folders)."""
    group, _, member = words.partition('@')
    if group in ('odinw13', 'odinw35'):
        content = Config.fromfile(ODINW)
        names = content.thirteen if group == 'odinw13' else list(content.folders)
        sets = {name: odinw_files(*content.folders[name]) for name in names}
    elif Path(group).is_file():
        sets = json.loads(Path(group).read_text())
    else:
        raise ConfigError(f'--sets {words}: neither odinw13, odinw35 nor a file')
    if member and member not in sets:
        raise ConfigError(f'--sets {words}: {group} has {", ".join(sets)}')
    return {name: complete(name, files) for name, files in sets.items() if member in ('', name)}


def odinw_files(folder: str, annotations: str, pictures: str) -> dict[str, str]:
    """Training files of a set of ODinW lie beside those of its test: ``train/`` for ``valid/`` and ``mini_val/``."""
    root = f'data/odinw/dataset/{folder}'

    def training(name: str) -> str:
        return name.replace('mini_val/', 'train/').replace('valid/', 'train/').replace('val_ann', 'train_ann')

    return dict(train=root + training(annotations), val=root + annotations, images=root + training(pictures),
                val_images=root + pictures)


def complete(name: str, files: dict[str, str]) -> dict[str, str]:
    """The files of a set with what may be left out."""
    allowed = {'train', 'val', 'test', 'images', 'val_images', 'test_images'}
    if not {'train', 'val', 'images'} <= set(files) <= allowed:
        raise ConfigError(f'set {name} needs train, val and images, and may have {", ".join(sorted(allowed))}; it has '
                          f'{", ".join(files)}')
    val_images = files.get('val_images', files['images'])
    return dict(dict(test=files['val'], val_images=val_images,
                     test_images=val_images if 'test' not in files else files['images']), **files)


# ---- one run ----
def run_alone(*arguments) -> None:
    """``run`` in a process that ends when the program does, however that ends."""

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    run(*arguments)


def run(args: Namespace, files: dict, shots: int | None, seed: int, iterations: int, folder: Path) -> None:
    """Train, test the best checkpoint and leave ``result.json``."""
    from projects.glee.engine.runner import run_config
    with program():
        cfg = run_config.load_config(Namespace(config=args.config, work_dir=str(folder), launcher='none', local_rank=0,
                                               cfg_options=args.cfg_options))
        set_files(cfg, files)
        cfg.update(load_from=args.checkpoint, work_dir=str(folder), randomness=dict(seed=seed))
        pictures = 0
        if iterations:
            set_length(cfg, iterations, args.validations)
            cfg.train_dataloader.dataset.update(type='FewShotCocoDataset', shots=shots, shot_seed=seed)
            cfg.resume = 'auto'
            run_config.set_amp(cfg, False)
            runner = run_config.build_runner(cfg)
            runner.train()
            pictures = len(runner.train_dataloader.dataset)
            best = sorted(folder.glob('best_*.pth'))
            cfg.update(load_from=str(best[-1]), resume=False)
        numbers = run_config.build_runner(test_config(cfg)).test()
        with replacing(folder / 'result.json') as file:
            file.write(json.dumps(dict(pictures=pictures, iterations=iterations, numbers=numbers), indent=1).encode())


def set_files(cfg: Config, files: dict) -> None:
    """Point the three loaders and two metrics of a config at a set."""
    cfg.test_dataloader, cfg.test_evaluator = copy.deepcopy((cfg.val_dataloader, cfg.val_evaluator))
    for part in ('train', 'val', 'test'):
        images = files['images' if part == 'train' else f'{part}_images']
        cfg[f'{part}_dataloader'].dataset.update(
            data_root='', ann_file=str(Path(files[part]).resolve()),
            data_prefix=dict(img=str(Path(images).resolve())))
    for step in cfg.train_dataloader.dataset.pipeline:
        if step.type == 'LoadInstances':
            step.with_mask = False  # as these sets have none
    for part in ('val', 'test'):
        cfg[f'{part}_evaluator'].update(ann_file=str(Path(files[part]).resolve()), metric=['bbox'])


def set_length(cfg: Config, iterations: int, validations: int) -> None:
    """Iterations of a training; the warm-up of its schedule takes at most a quarter."""
    interval = max(1, iterations // validations)
    cfg.train_cfg.update(max_iters=iterations, val_interval=interval)
    cfg.default_hooks.checkpoint.update(interval=interval, max_keep_ckpts=1, save_best=KEY, rule='greater')
    first, *later = cfg.param_scheduler
    first.end = max(1, min(first.get('end', iterations), iterations // 4))
    for schedule in later:
        schedule.begin = first.end


def test_config(cfg: Config) -> Config:
    """A config that tests and cannot train."""
    cfg = copy.deepcopy(cfg)
    for part in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler', 'val_dataloader', 'val_evaluator',
                 'val_cfg'):
        cfg.pop(part, None)
    return cfg


# ---- table ----
def write_table(work_dir: Path, sets: dict, runs: list[tuple]) -> None:
    """few_shot.json: every number; few_shot.md: mean ± standard deviation over seeds, of each set and of their mean."""
    results, rows = {}, []
    for name in sets:
        for shots, seed, iterations in runs:
            path = folder_of(work_dir, name, shots, seed, iterations) / 'result.json'
            if path.is_file():
                result = json.loads(path.read_text())
                key = label(shots, iterations)
                results.setdefault(key, {}).setdefault(name, {})[seed] = 100 * result['numbers'][KEY]
                rows.append(dict(set=name, shots=key, seed=seed, **result))
    lines = [f'| pictures per category | {" | ".join(sets)} | mean of sets |', '| --- |' + ' --- |' * (len(sets) + 1)]
    for key, by_set in results.items():
        cells = [spread(list(by_set.get(name, {}).values())) for name in sets]
        seeds = [seed for seed in next(iter(by_set.values())) if all(seed in by_set.get(name, {}) for name in sets)]
        means = [statistics.fmean(by_set[name][seed] for name in sets) for seed in seeds]
        lines.append(f'| {key} | ' + ' | '.join([*cells, spread(means)]) + ' |')
    lines += ['', 'Box AP in percent, mean ± standard deviation (n - 1) over the seeds that are done.']
    with replacing(work_dir / 'few_shot.md') as file:
        file.write(('\n'.join(lines) + '\n').encode())
    with replacing(work_dir / 'few_shot.json') as file:
        file.write(json.dumps(rows, indent=1).encode())


def spread(values: list[float]) -> str:
    """``mean ± std (n)``; n where it is not three."""
    if not values:
        return ''
    if len(values) == 1:
        return f'{values[0]:.1f}'
    return f'{statistics.fmean(values):.1f} ± {statistics.stdev(values):.1f}' + f' ({len(values)})' * (len(values) != 3)


if __name__ == '__main__':
    try:
        main()
    except ConfigError as error:
        sys.exit(f'few_shot: {error}')
