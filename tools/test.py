"""Test a model: metrics of its config, optionally pictures or a file of predictions.

Examples:
    python tools/test.py configs/glee/mini/glee_mini_coco.py work_dirs/quickstart/glee_mini.pth
    python tools/test.py configs/glee/mini/glee_mini_coco.py glee_mini.pth --show-dir pictures
    python tools/test.py configs/glee/mini/glee_mini_coco.py glee_mini.pth \\
        --cfg-options data_root=data/other_world --out predictions.pkl
"""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

import projects.glee  # noqa: F401  (registers every component; before mmdet.engine, see docs/faq.md)

# isort: split
from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults

from projects.glee.engine.runner import run_config


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    run_config.add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', metavar='FILE.pkl', help='write the predictions to this file')
    parser.add_argument('--show', action='store_true', help='show every picture in a window')
    parser.add_argument(
        '--show-dir', help='write pictures of predictions to <work folder>/<time>/SHOW_DIR')
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds that --show waits per picture')
    args = parser.parse_args()
    if args.out is not None and not args.out.endswith(('.pkl', '.pickle')):
        parser.error(f'--out {args.out}: the name must end in .pkl or .pickle')
    return args


def main() -> None:
    args = parse_args()
    with run_config.one_line_errors():
        cfg = run_config.load_config(args)
        run_config.check_sections(cfg, 'test_dataloader', 'test_evaluator', 'test_cfg')
    cfg.load_from = args.checkpoint
    cfg.model = run_config.without_teacher(cfg.model)
    if args.show or args.show_dir:
        cfg = trigger_visualization_hook(cfg, args)
    runner = run_config.build_runner(cfg)
    if args.out is not None:
        runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=args.out))
    runner.test()


if __name__ == '__main__':
    main()
