"""Draw what a training config feeds to the model, and count how often its sampler draws each source.

Pictures come after augmentation and preprocessing, with the vocabulary of the batch, as the model sees them.

Examples:
    python tools/analysis_tools/browse_mixture.py configs/glee/glee_r50_stage2.py \\
        --cfg-options data_root=data/miniworld/ --out work_dirs/browse
    python tools/analysis_tools/browse_mixture.py configs/glee/glee_r50_stage3.py --samples 0 --draws 10000
"""
import itertools
import sys
import textwrap
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.registry import DATA_SAMPLERS, DATASETS, MODELS, VISUALIZERS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from rich.console import Console
from rich.progress import track
from rich.table import Table

import projects.glee  # noqa: F401  (registers every component)
from projects.glee.engine.runner import run_config
from projects.glee_cli.configs.config_file import add_common_arguments
from projects.glee_cli.configs.missing_data import check_data
from projects.glee_cli.exits import one_line_errors

WIDTH = 480  # of one picture on a sheet, px
CAPTION = 84


def build(cfg: Config, seed: int) -> tuple:
    """Data set and sampler of the training loader, and the names of its sources."""
    loader = cfg.train_dataloader
    dataset = DATASETS.build(loader.dataset)
    sampler = DATA_SAMPLERS.build(dict(loader.sampler, seed=seed), default_args=dict(dataset=dataset))
    names = [next(step.source for step in source.pipeline if step.type == 'SetSource')
             for source in loader.dataset.datasets]
    return dataset, sampler, names


def count_draws(dataset, sampler, ratios: list, draws: int) -> list[tuple]:
    """Per source: intended share, share of the first ``draws`` draws."""
    taken = [dataset.get_dataset_source(int(draw)) for draw in itertools.islice(sampler, draws)]
    counts = np.bincount(taken, minlength=len(ratios)) / draws
    return list(zip((ratio / sum(ratios) for ratio in ratios), counts.tolist()))


def print_shares(names: list, dataset, shares: list[tuple], draws: int, tolerance: float) -> bool:
    """Print intended and drawn shares; whether all agree."""
    table = Table('source', 'images', 'intended', 'drawn', 'difference', title=f'{draws} draws')
    for name, source, (intended, drawn) in zip(names, dataset.datasets, shares):
        table.add_row(name, str(len(source)), f'{intended:.4f}', f'{drawn:.4f}', f'{drawn - intended:+.4f}')
    Console(width=100).print(table)
    worst = max(abs(drawn - intended) for intended, drawn in shares)
    print(f'largest difference {worst:.4f}, tolerance {tolerance}')
    return worst <= tolerance


def draws_of_source(dataset, sampler, source: int, count: int) -> list:
    """The first draws of the stream that belong to a source; none if its ratio is 0."""
    limit = 200 * count * len(dataset.datasets)
    own = (draw for draw in itertools.islice(sampler, limit) if dataset.get_dataset_source(int(draw)) == source)
    return list(itertools.islice(own, count))


def picture(inputs: torch.Tensor, preprocessor) -> np.ndarray:
    """A normalised input (3, H, W) as an RGB picture again."""
    return (inputs * preprocessor.std + preprocessor.mean).clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()


def caption(sample: DetDataSample) -> str:
    """What the model is told beside the objects."""
    prompted = f', prompt: {", ".join(sample.prompts.kinds)}' if 'prompts' in sample else ''
    names = ' | '.join(sample.text)
    return (f'{sample.source}: {len(sample.gt_instances)} objects, {"+".join(sample.supervision)}, '
            f'{sample.text_mode}{prompted}, {len(sample.text)} names: {names}')


def draw(visualizer, inputs: torch.Tensor, sample: DetDataSample, preprocessor) -> np.ndarray:
    """One sheet cell: objects with names, prompts outlined in white, the caption above; RGB."""
    image = picture(inputs, preprocessor)
    visualizer.add_datasample('sample', image, sample, draw_pred=False, show=False)
    drawn = np.ascontiguousarray(visualizer.get_image())
    for mask in sample.prompts.masks if 'prompts' in sample else ():
        outlines, _ = cv2.findContours(mask.cpu().numpy().astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outlines, -1, (255, 255, 255), 2)
    drawn = cv2.resize(drawn, (WIDTH, round(WIDTH * drawn.shape[0] / drawn.shape[1])))
    bar = np.full((CAPTION, WIDTH, 3), 40, np.uint8)
    lines = textwrap.wrap(caption(sample), 70, max_lines=5, placeholder=' ...')
    for row, line in enumerate(lines):
        cv2.putText(bar, line.encode('ascii', 'replace').decode(), (4, 14 + 16 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.38,
                    (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([bar, drawn])


def sheet(cells: list[np.ndarray], columns: int = 2) -> np.ndarray:
    """Cells of one width on a grid."""
    height = max(cell.shape[0] for cell in cells)
    cells = [np.pad(cell, ((0, height - cell.shape[0]), (0, 0), (0, 0))) for cell in cells]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    return np.concatenate([np.concatenate(cells[i:i + columns], 1) for i in range(0, len(cells), columns)])


def browse(cfg: Config, dataset, sampler, names: list, out: Path, samples: int, seed: int) -> None:
    """Write one sheet per source."""
    out.mkdir(parents=True, exist_ok=True)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    visualizer = VISUALIZERS.build(dict(type='TextLocalVisualizer', name='browse_mixture', min_side=0))
    torch.manual_seed(seed)
    for index, name in enumerate(track(names, 'sources', transient=True)):
        cells = []
        for number in draws_of_source(dataset, sampler, index, samples):
            batch = preprocessor(pseudo_collate([dataset[number]]), training=True)
            cells.append(draw(visualizer, batch['inputs'][0], batch['data_samples'][0], preprocessor))
        if cells and not cv2.imwrite(str(out / f'{index:02d}_{name}.jpg'), sheet(cells)[..., ::-1]):
            sys.exit(f'--out {out} could not be written')
    print(f'{out}: pictures of {len(names)} sources')


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    add_common_arguments(parser)
    parser.add_argument('--out', help='folder of the pictures (default: browse/ in the work folder)')
    parser.add_argument('--samples', type=int, default=4, help='pictures per source, 0 for none (default: 4)')
    parser.add_argument('--draws', type=int, default=10000, help='draws to count, 0 for none (default: 10000)')
    parser.add_argument('--tolerance', type=float, default=0.02, help='largest difference allowed (default: 0.02)')
    parser.add_argument('--seed', type=int, default=0, help='of the draws (default: 0)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    register_all_modules()
    with one_line_errors(args.debug):
        cfg = run_config.load_config(args)
        cfg.val_cfg = None
        check_data(cfg, training=True)
    dataset, sampler, names = build(cfg, args.seed)
    if args.samples:
        browse(cfg, dataset, sampler, names, Path(args.out or f'{cfg.work_dir}/browse'), args.samples, args.seed)
    if args.draws:
        shares = count_draws(dataset, sampler, cfg.train_dataloader.sampler.ratios, args.draws)
        if not print_shares(names, dataset, shares, args.draws, args.tolerance):
            sys.exit('the sampler does not draw the intended shares')


if __name__ == '__main__':
    main()
