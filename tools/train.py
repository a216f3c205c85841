"""Train a model.

Examples:
    python tools/train.py configs/glee/mini/glee_mini_stage2.py
    python tools/train.py configs/glee/glee_r50_stage2.py --cfg-options data_root=/data --amp
    python tools/train.py configs/glee/glee_r50_stage2.py --without openimages sa1b
    python tools/train.py configs/glee/glee_r50_stage2.py --resume
    torchrun --nproc-per-node 8 tools/train.py configs/glee/glee_r50_stage2.py --launcher pytorch

What is wrong with the config, its options or files is said before anything is built. Exit codes: 0 done, 1 an
unexpected error, 2 wrong use, 4 files are missing, 128 + signal when stopped.
"""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from mmengine.config import Config

from projects.glee_cli import startup
from projects.glee_cli.configs import config_file
from projects.glee_cli.configs.leave_out import leave_out
from projects.glee_cli.configs.missing_data import check_data
from projects.glee_cli.exits import ConfigError, one_line_errors


def make_parser() -> ArgumentParser:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    config_file.add_common_arguments(parser)
    parser.add_argument(
        '--amp', action='store_true', help='mixed precision; without a GPU float32 is used')
    parser.add_argument(
        '--auto-scale-lr', action='store_true',
        help='scale the learning rate by batch size / auto_scale_lr.base_batch_size of the config')
    parser.add_argument(
        '--without', nargs='+', default=[], metavar='SOURCE',
        help="sources of the mixture to leave out; 'missing' stands for all whose files are not here")
    parser.add_argument(
        '--resume', nargs='?', const='auto', metavar='CHECKPOINT',
        help='continue from this checkpoint, or without a value from the newest complete one in the '
        'work folder; if there is none, start')
    parser.add_argument(
        '--resume-anyway', action='store_true',
        help='let --resume continue with another batch size or number of processes, not exactly')
    return parser


def read_config(args: Namespace) -> Config:
    """The config with everything that the options say; nothing heavy is imported."""
    cfg = config_file.load_config(args)
    config_file.check_sections(cfg, 'train_dataloader', 'train_cfg', 'optim_wrapper')
    config_file.check_schedule(cfg)
    if args.resume == 'auto':
        cfg.resume = 'auto'
    elif args.resume is not None:
        cfg.resume, cfg.load_from = True, args.resume
    if args.resume_anyway:
        cfg.resume_anyway = True
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise ConfigError(f'--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in {args.config}')
        cfg.auto_scale_lr.enable = True
    if args.without:
        leave_out(cfg, args.without)
    check_data(cfg, training=True)
    return cfg


def main() -> None:
    args = make_parser().parse_args()
    with startup.program():
        with one_line_errors(args.debug):
            cfg = read_config(args)
            from projects.glee.engine.runner import run_config
            run_config.check_checkpoint(cfg)
            run_config.set_amp(cfg, args.amp)
            runner = run_config.build_runner(cfg)
            run_config.build_data(runner, training=True)
        runner.train()


if __name__ == '__main__':
    main()
