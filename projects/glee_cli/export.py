"""Write a model as ONNX files, which run without torch.

Examples:
    glee export exported --weights glee_lite.pth
    glee export exported --weights glee_lite.pth --expressions
    glee export exported --weights glee_lite.pth --names person car 'traffic light' --sampler gather

The first writes names.onnx, of which encoded names are inputs, text.onnx, which encodes any names, and tokenizer.json;
the second expressions.onnx, for sentences that mean one object each, with the same two; the third fixed.onnx, for these
names alone. Batch and sides of the pictures vary. Each file is compared with the model in ONNX Runtime before it gets
its name; one that differs is not kept. Needs the packages of requirements/export.txt; docs/export.md describes inputs
and outputs.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path
from time import perf_counter

from .options import need_weights


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee export``."""
    parser.add_argument('folder', help='folder to write to')
    parser.add_argument('--model', default='glee_r50', metavar='NAME|CONFIG',
                        help='glee_r50 (default), another name of configs/glee/metafile.yml, or a config that tests')
    parser.add_argument('--weights', metavar='FILE',
                        help='checkpoint: one of ours, or a released GLEE file as it was downloaded')
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--names', nargs='+', metavar='NAME', help='a vocabulary that becomes part of the file')
    what.add_argument('--expressions', action='store_true', help='for sentences that mean one object each')
    parser.add_argument('--sampler', choices=('grid_sample', 'gather'), default='grid_sample',
                        help='how maps are read: gather where GridSample is missing or wrong (default %(default)s)')
    parser.add_argument('--package', action='store_true',
                        help='also write a .pt2 package of torch.export beside it, which takes minutes')


def run(args: Namespace) -> bool:
    """Never leaves anything out."""
    need_weights(args)
    from projects.glee.deployment import export_image_model, export_text_encoder, save_tokenizer
    from projects.glee.deployment.export import require_packages
    require_packages()
    from projects.glee.apis import GLEEInferencer
    glee, folder = GLEEInferencer(args.model, args.weights, 'cpu'), Path(args.folder)
    start = perf_counter()
    encoder = glee.model.panoptic_head.text_encoder
    path = folder / ('expressions.onnx' if args.expressions else 'fixed.onnx' if args.names else 'names.onnx')
    package = path.with_suffix('.pt2') if args.package else None
    _print(export_image_model(glee.model, path, args.names, args.expressions, args.sampler, _scale(glee.model.cfg),
                              package), start)
    if not args.names:
        _print(export_text_encoder(encoder, folder / 'text.onnx'), start)
        save_tokenizer(encoder, folder / 'tokenizer.json')
    return False


def _print(written, start: float) -> None:
    print(f'{written.path}: {written.path.stat().st_size / 2**20:.1f} MiB, differs from the model by '
          f'{written.difference} ({perf_counter() - start:.0f} s)', flush=True)


def _scale(cfg) -> list[int] | None:
    """Short and long side to which the test pipeline resizes pictures; None if it does something else."""
    data_set = cfg.test_dataloader.dataset
    while 'pipeline' not in data_set:
        data_set = data_set.dataset
    scales = [step.scale for step in data_set.pipeline if step.get('keep_ratio') and 'scale' in step]
    return sorted(scales[0]) if len(scales) == 1 else None
