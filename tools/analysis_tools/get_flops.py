"""Parameters and FLOPs of models by part, beside those of the paper, as a table in Markdown.

A multiply-add counts as two operations. Runs on any machine in seconds: image tensors carry no data.

Examples:
    python tools/analysis_tools/get_flops.py configs/glee/glee_r50_stage2.py
    python tools/analysis_tools/get_flops.py configs/glee/glee_eva02-l_stage2.py --sides 1536
    python tools/analysis_tools/get_flops.py configs/glee/glee_{r50,swin-l,eva02-l}_stage2.py --sides 1024 1024 1536
"""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from mmdet.datasets import CocoDataset
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.progress import track

import projects.glee  # noqa: F401  (registers every component)
from projects.glee.utils.complexity import Flops, Parameters, count_flops, count_parameters

# Trainable parameters in millions and FLOPs in 1e12 (GLEE, CVPR 2024), by the start of the config's name.
PAPER = {'glee_r50': (127.27, 1.17), 'glee_swin-l': (295.53, 2.47), 'glee_eva02-l': (399.60, 7.25)}


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('configs', nargs='+', type=Path, help='config files of GLEE detectors')
    parser.add_argument('--sides', nargs='+', type=int, default=[1024], metavar='PX',
                        help='side of the square image, one for all or one per config (default: 1024)')
    parser.add_argument('--names', nargs='+', default=CocoDataset.METAINFO['classes'],
                        help='category names (default: the 80 of COCO)')
    args = parser.parse_args()
    if len(args.sides) == 1:
        args.sides *= len(args.configs)
    if len(args.sides) != len(args.configs):
        parser.error(f'--sides has {len(args.sides)} values for {len(args.configs)} configs')
    for path in args.configs:
        if not path.is_file():
            parser.error(f'{path}: no such config')
    return args


def measure(path: Path, side: int, names: list[str]) -> tuple[Parameters, Flops]:
    """Build the model of a config and count."""
    model = MODELS.build(Config.fromfile(path).model)
    return count_parameters(model), count_flops(model, side, names)


def table(title: str, heads: list[str], columns: list[dict[str, str]]) -> str:
    """Markdown table; the rows are the union of the columns' keys, in order."""
    rows = list(dict.fromkeys(key for column in columns for key in column))
    lines = [[title, *heads], ['---'] * (len(heads) + 1)]
    lines += [[row, *(column.get(row, '-') for column in columns)] for row in rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def report(names: list[str], sides: list[int], results: list[tuple[Parameters, Flops]]) -> str:
    """Both tables."""
    parameter_columns, flop_columns = [], []
    for name, (parameters, flops) in zip(names, results):
        paper = next((value for start, value in PAPER.items() if name.startswith(start)), None)
        parameter_columns.append({
            **{part: f'{number:,}' for part, number in parameters.parts.items()},
            'total': f'{parameters.total:,}', 'trainable': f'{parameters.trainable:,}',
            'trainable, paper': f'{paper[0]:.2f}M' if paper else '-'})
        flop_columns.append({
            **{part: f'{number / 1e12:.3f}T' for part, number in flops.parts.items()},
            'total': f'{flops.total / 1e12:.3f}T',
            'total without attention products of the backbone': f'{(flops.total - flops.attention) / 1e12:.3f}T',
            'paper': f'{paper[1]:.2f}T' if paper else '-'})
    heads = [f'{name} at {side}²' for name, side in zip(names, sides)]
    return table('parameters', names, parameter_columns) + '\n\n' + table('FLOPs', heads, flop_columns)


def main() -> None:
    args = parse_args()
    init_default_scope('mmdet')
    results = [measure(path, side, args.names)
               for path, side in track(list(zip(args.configs, args.sides)), description='counting')]
    print(report([path.stem for path in args.configs], args.sides, results))


if __name__ == '__main__':
    main()
