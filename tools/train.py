"""Train a model.

Examples:
    python tools/train.py configs/glee/mini/glee_mini_stage2.py
    python tools/train.py configs/glee/glee_r50_stage2.py --cfg-options data_root=/data --amp
    python tools/train.py configs/glee/glee_r50_stage2.py --resume
    torchrun --nproc-per-node 8 tools/train.py configs/glee/glee_r50_stage2.py --launcher pytorch
"""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

import projects.glee  # noqa: F401  (registers every component)
from projects.glee.engine.runner import run_config


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    run_config.add_common_arguments(parser)
    parser.add_argument(
        '--amp', action='store_true', help='mixed precision; without a GPU float32 is used')
    parser.add_argument(
        '--auto-scale-lr', action='store_true',
        help='scale the learning rate by batch size / auto_scale_lr.base_batch_size of the config')
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='continue from this checkpoint, or without a value from the newest complete one in the '
        'work folder; if there is none, start')
    parser.add_argument(
        '--resume-anyway', action='store_true',
        help='let --resume continue with another batch size or number of processes, not exactly')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with run_config.one_line_errors():
        cfg = run_config.load_config(args)
        run_config.check_sections(cfg, 'train_dataloader', 'train_cfg', 'optim_wrapper')
        run_config.check_schedule(cfg)
    run_config.set_amp(cfg, args.amp)
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise ValueError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in '
                             f'{args.config}')
        cfg.auto_scale_lr.enable = True
    if args.resume == 'auto':
        cfg.resume = 'auto'
    elif args.resume is not None:
        cfg.resume, cfg.load_from = True, args.resume
    if args.resume_anyway:
        cfg.resume_anyway = True
    run_config.build_runner(cfg).train()


if __name__ == '__main__':
    main()
