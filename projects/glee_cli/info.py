"""Versions, devices, a config and a checkpoint in a few lines, for bug reports.

Examples:
    glee info
    glee info --model glee_r50 --weights GLEE_Lite_joint.pth
"""
import platform
from argparse import ArgumentParser, Namespace
from importlib import metadata
from pathlib import Path

PACKAGES = ('torch', 'onedl-mmcv', 'onedl-mmengine', 'onedl-mmdetection', 'onedl-mmpretrain', 'numpy', 'pillow',
            'opencv-python', 'transformers', 'pycocotools')


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee info``."""
    parser.add_argument('--model', metavar='NAME|CONFIG', help='name or config file to describe')
    parser.add_argument('--weights', metavar='FILE', help='checkpoint to describe')


def run(args: Namespace) -> bool:
    """Never leaves anything out."""
    print(f'glee {_version("glee-mmdet")}, Python {platform.python_version()}, {platform.platform()}')
    print(', '.join(f'{name} {_version(name)}' for name in PACKAGES))
    import torch
    devices = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    print(f'devices: {", ".join(["cpu", *devices])}; {torch.get_num_threads()} threads')
    if args.model:
        from projects.glee.apis.model_names import config_of
        cfg = config_of(args.model)
        print(f'config {cfg.filename}: {cfg.model.type}, backbone {cfg.model.backbone.type}, '
              f'{cfg.model.panoptic_head.get("num_queries", 300)} queries')
    if args.weights:
        from projects.glee.engine.checkpoints.safe_checkpoint import read_checkpoint
        content = read_checkpoint(args.weights)
        weights = content.get('state_dict', content.get('model', content))
        tensors = [value for value in weights.values() if isinstance(value, torch.Tensor)]
        size = Path(args.weights).stat().st_size / 2**20
        print(f'checkpoint {args.weights}: {size:.0f} MiB, {len(tensors)} tensors, '
              f'{sum(value.numel() for value in tensors) / 1e6:.1f} million values, keys {sorted(content)[:6]}')
    return False


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return 'not installed'
