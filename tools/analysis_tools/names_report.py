"""Measure whether a model answers to any part of its names: AP of each name asked with the others and asked alone.

Examples:
    python tools/analysis_tools/names_report.py work_dirs/finetune/glee_mini_finetune.py work_dirs/finetune/best.pth
    python tools/analysis_tools/names_report.py configs/glee/mini/glee_mini_coco.py glee_mini.pth --beside RBC WBC

Every picture of the config's test set is asked for all names at once, for each name alone and, with --beside, for all
names together with those. Prints box AP by name and the largest difference; needs a COCO file and the config's
CocoEvalMetric.
"""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from math import isnan, nan

import torch
from mmdet.registry import DATASETS, METRICS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from rich.progress import track

from projects.glee.apis import init_model
from projects.glee.engine.runner import run_config
from projects.glee_cli.configs import config_file


def ask(model, data: dict, names: tuple[str, ...]) -> InstanceData:
    """Boxes of one picture of the test set for a vocabulary."""
    batch = model.data_preprocessor(pseudo_collate([data]), False)
    sample: DetDataSample = batch['data_samples'][0].clone()
    sample.set_metainfo(dict(text=names))
    found = model.predict(batch['inputs'], [sample])[0].pred_instances
    return InstanceData(bboxes=found.bboxes, scores=found.scores, labels=found.labels)


def ask_alone(model, data: dict, names: tuple[str, ...]) -> InstanceData:
    """The same, each name by itself; labels as if all had been asked together."""
    parts = [ask(model, data, (name, )) for name in names]
    for label, part in enumerate(parts):
        part.labels = torch.full_like(part.labels, label)
    return InstanceData.cat(parts)


@torch.no_grad()
def measure(cfg: Config, checkpoint: str, beside: tuple[str, ...], device: str) -> dict[str, dict[str, float]]:
    """{way of asking: {name: box AP, nan where nothing is annotated}}; the mean under ''."""
    model, dataset = init_model(cfg, checkpoint, device), DATASETS.build(cfg.test_dataloader.dataset)
    names = tuple(dataset.metainfo['classes'])
    ways = dict(together=lambda data: ask(model, data, names), alone=lambda data: ask_alone(model, data, names))
    if beside:
        def ask_beside(data: dict) -> InstanceData:
            found = ask(model, data, names + beside)
            return found[found.labels < len(names)]
        ways['beside'] = ask_beside
    metrics = {way: METRICS.build(dict(cfg.test_evaluator, metric='bbox', classwise=True)) for way in ways}
    for metric in metrics.values():
        metric.dataset_meta = dataset.metainfo
    for index in track(range(len(dataset)), 'pictures', transient=True):
        data = dataset[index]
        for way, answer in ways.items():
            sample = data['data_samples'].clone()
            sample.pred_instances = answer(data)
            metrics[way].process({}, [sample.to_dict()])
    scores = {way: metric.evaluate(len(dataset)) for way, metric in metrics.items()}
    return {way: {'': found['coco/bbox_mAP'], **{name: found.get(f'coco/{name}_precision', nan) for name in names}}
            for way, found in scores.items()}


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    config_file.add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--beside', nargs='+', default=[], metavar='NAME', help='names of other sets to ask for too')
    parser.add_argument('--device', default='cpu', help="'cuda' or 'cpu' (default)")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = run_config.load_config(args)
    found = measure(cfg, args.checkpoint, tuple(args.beside), args.device)
    print('name', *(f'{way:>9}' for way in found), sep='\t')
    for name in found['together']:
        print(name or 'mean', *(f'{values[name]:9.3f}' for values in found.values()), sep='\t')
    largest = max(difference for name in found['together'] if name and not isnan(
        difference := abs(found['together'][name] - found['alone'][name])))
    print(f'largest difference of a name asked alone: {largest:.3f}')


if __name__ == '__main__':
    main()
