"""Collect the runs of tools/quickstart.sh into results.json, results.md, pictures and a checkpoint.

Example:
    python tools/analysis_tools/quickstart_report.py work_dirs/quickstart/full work_dirs/quickstart --mode full
"""
import json
import re
import shutil
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from projects.glee.visualization import contact_sheet

MODES = ('smoke', 'quick', 'full')  # a later one is never overwritten by an earlier one
KEYS = dict(
    coco=('coco/bbox_mAP', 'coco/bbox_mAP_50', 'coco/segm_mAP'),
    lvis=('lvis/bbox_AP', ),
    refcoco=('refcoco/P@0.5', 'refcoco/testA_P@0.5', 'refcoco/testB_P@0.5', 'refcoco/blind_P@0.5',
             'refcoco/testB_blind_P@0.5', 'refcoco/oIoU'),
    panoptic=('panoptic/PQ', ),
    interactive=('interactive/point_mIoU', 'interactive/box_mIoU', 'interactive/scribble_mIoU', 'interactive/NoC@85'))
# Only full runs have these; the image model's own numbers carry no suffix.
MORE_KEYS = dict(
    memory=KEYS['interactive'],
    tokens=('interactive/NoC@85', ),
    forgetful=('interactive/NoC@85', ),
    ytvis=('ytvis/AP', ),
    ovis=('ovis/AP', ),
    ytvis_finetuned=('ytvis/AP', ),
    ovis_finetuned=('ovis/AP', ),
    ovis_occlusion=('ovis/AP', ),
    ovis_occlusion_finetuned=('ovis/AP', ),
    vos_finetuned=('vos/J&F', ),
    rvos_finetuned=('rvos/J&F', ),
    rvos_trajectories=('rvos/J&F', ),
    tao_finetuned=('tao/TETA', ),
    burst_finetuned=('burst/HOTA', ))
# MiniWorld's testA has attribute expressions only, testB relational ones only.
NAMES = {
    'refcoco/testA_P@0.5': 'refcoco/attribute_P@0.5',
    'refcoco/testB_P@0.5': 'refcoco/relation_P@0.5',
    'refcoco/testB_blind_P@0.5': 'refcoco/relation_blind_P@0.5'
}
TUNED_NAMES = {
    'memory': {key: key.replace('interactive/', 'interactive_memory/') for key in KEYS['interactive']},
    'tokens': {'interactive/NoC@85': 'interactive_tokens/NoC@85'},
    'forgetful': {'interactive/NoC@85': 'interactive_forgetful/NoC@85'},
    'ytvis_finetuned': {'ytvis/AP': 'ytvis_finetuned/AP'},
    'ovis_finetuned': {'ovis/AP': 'ovis_finetuned/AP'},
    'ovis_occlusion': {'ovis/AP': 'ovis_occlusion/AP'},
    'ovis_occlusion_finetuned': {'ovis/AP': 'ovis_occlusion_finetuned/AP'},
    'rvos_finetuned': {'rvos/J&F': 'rvos_looks/J&F'}
}
STAMP = re.compile(r'^(\d{4}/)?(\d\d/\d\d \d\d:\d\d:\d\d) - mmengine - INFO - (.*)')


def read_metrics(folder: Path) -> dict[str, float]:
    """Numbers of the newest test run in a work folder, from the json file that mmengine writes.

    Raises:
        SystemExit: if there is none.
    """
    logs = sorted(path for path in folder.glob('*/*.json') if path.stem == path.parent.name)
    if not logs:
        sys.exit(f'{folder}: no log of a test run; run tools/test.py with --work-dir {folder}')
    return json.loads(logs[-1].read_text().splitlines()[-1])


def train_minutes(folder: Path) -> float:
    """Minutes from the start of training to its last iteration, by the stamps of the logs.

    A training that was interrupted has one log per part; the parts add up.
    """
    seconds = 0.
    for log in folder.glob('*/*.log'):
        start = last = None
        for line in log.read_text().splitlines():
            match = STAMP.match(line)
            if match is None:
                continue
            stamp = datetime.strptime('2000/' + match[2], '%Y/%m/%d %H:%M:%S')
            if match[3].startswith('Checkpoints will be saved'):
                start = stamp
            elif start is not None and match[3].startswith(('Iter(train)', 'Saving checkpoint')):
                last = stamp
        if last is not None:
            seconds += (last - start).total_seconds() % (366 * 86400)
    return seconds / 60


def loss_rows(folder: Path) -> list[str]:
    """Table rows: every loss term's mean over the first and the last tenth of training, and their ratio.

    Terms that are zero throughout (switched off by the data) are left out.
    """
    records = {}
    for file in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in file.read_text().splitlines():
            record = json.loads(line)
            if 'loss' in record:
                records[record['step']] = record
    if not records:
        return []
    steps = sorted(records)
    tenth = steps[-1] / 10
    first = [records[step] for step in steps if step <= max(tenth, steps[0])]
    last = [records[step] for step in steps if step > min(steps[-1] - tenth, steps[-1] - 1)]
    rows = []
    for term in (key for key in records[steps[-1]] if 'loss' in key):
        start, end = (float(np.mean([record[term] for record in part])) for part in (first, last))
        if start:
            rows.append(f'| {term} | {start:.3f} | {end:.3f} | {end / start:.2f} |')
    return rows


def sample_pictures(folder: Path, count: int = 8) -> np.ndarray | None:
    """Some of the pictures (ground truth beside prediction) of a test run in one image (H, W, 3) BGR."""
    files = sorted(folder.glob('*/pictures/**/*.jpg')) + sorted(folder.glob('*/pictures/**/*.png'))
    files = files[::max(1, len(files) // count)][:count]
    return contact_sheet([cv2.imread(str(file)) for file in files]) if files else None


def collect(run: Path, mode: str) -> dict[str, float | str]:
    """The content of results.json."""
    results: dict[str, float | str] = dict(mode=mode)
    more = {name: keys for name, keys in MORE_KEYS.items() if (run / f'test_{name}').is_dir()}
    for benchmark, keys in {**KEYS, **more}.items():
        metrics = read_metrics(run / f'test_{benchmark}')
        missing = [key for key in keys if key not in metrics]
        if missing:
            sys.exit(f'{run}/test_{benchmark}: the log lacks {missing}; it has {sorted(metrics)}')
        names = {**NAMES, **TUNED_NAMES.get(benchmark, {})}
        results.update({names.get(key, key): round(float(metrics[key]), 4) for key in keys})
    for training in ('train', 'rollout', 'clips', 'trajectories'):
        if (run / training).is_dir():
            results[f'{training}_minutes'] = round(train_minutes(run / training), 1)
    return results


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('run', type=Path, help='folder with train/ and test_*/')
    parser.add_argument('out', type=Path, help='folder for the collected results')
    parser.add_argument('--mode', choices=MODES, required=True)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    results = collect(args.run, args.mode)
    target = args.out / 'results.json'
    if target.is_file():
        there = json.loads(target.read_text())['mode']
        if MODES.index(there) > MODES.index(args.mode):
            args.out = args.run
            print(f'{target} holds a {there} run and stays; this one goes to {args.out}')
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / 'results.json').write_text(json.dumps(results, indent=1) + '\n')
    rows = [f'| {key} | {value} |' for key, value in results.items()]
    (args.out / 'results.md').write_text('\n'.join(['| metric | value |', '| --- | --- |', *rows]) + '\n')
    (args.out / 'losses.md').write_text('\n'.join([
        '| term | first tenth | last tenth | ratio |', '| --- | --- | --- | --- |',
        *loss_rows(args.run / 'train')]) + '\n')
    checkpoints = sorted((args.run / 'train').glob('iter_*.pth'), key=lambda p: int(p.stem[5:]))
    shutil.copyfile(checkpoints[-1], args.out / 'glee_mini.pth')
    (args.out / 'pictures').mkdir(exist_ok=True)
    for benchmark in KEYS:
        sheet = sample_pictures(args.run / f'test_{benchmark}')
        if sheet is not None:
            cv2.imwrite(str(args.out / 'pictures' / f'{benchmark}.jpg'), sheet)
    print('\n'.join(rows))
    print(f'{args.out}: results.json, results.md, losses.md, glee_mini.pth and pictures/')


if __name__ == '__main__':
    main()
