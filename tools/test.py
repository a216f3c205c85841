"""Test a model: metrics of its config, optionally pictures or a file of predictions.

Examples:
    python tools/test.py configs/glee/mini/glee_mini_coco.py work_dirs/quickstart/glee_mini.pth
    python tools/test.py configs/glee/mini/glee_mini_coco.py glee_mini.pth --show-dir pictures --report
    python tools/test.py configs/glee/mini/glee_mini_coco.py glee_mini.pth \\
        --cfg-options data_root=data/other_world --out predictions.pkl

What is wrong with the config, its options or files is said before anything is built. Exit codes: 0 done, 1 an
unexpected error, 2 wrong use, 4 files are missing.
"""
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from pathlib import Path

from projects.glee_cli import startup
from projects.glee_cli.configs import config_file
from projects.glee_cli.configs.missing_data import check_data
from projects.glee_cli.exits import one_line_errors


def make_parser() -> ArgumentParser:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    config_file.add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', type=pickle_name, metavar='FILE.pkl', help='write the predictions to this file')
    parser.add_argument('--show', action='store_true', help='show every picture in a window')
    parser.add_argument(
        '--show-dir', help='write pictures of predictions, mp4 of videos, to <work folder>/<time>/SHOW_DIR; '
        '--cfg-options PictureHook.score_thr=0.5 shows fewer objects, PictureHook.frames=True frames of videos')
    parser.add_argument(
        '--wait-time', type=float, default=2, help='seconds that --show waits per picture')
    parser.add_argument(
        '--report', action='store_true', help='write a page about errors, <work folder>/report.html (glee analyse); '
        'metrics of detections also leave their result files, results.*.json')
    return parser


def pickle_name(name: str) -> str:
    if not name.endswith(('.pkl', '.pickle')):
        raise ArgumentTypeError(f'{name}: the name must end in .pkl or .pickle')
    return name


def main() -> None:
    args = make_parser().parse_args()
    with startup.program():
        with one_line_errors(args.debug):
            cfg = config_file.load_config(args)
            config_file.check_sections(cfg, 'test_dataloader', 'test_evaluator', 'test_cfg')
            cfg.load_from = args.checkpoint
            if args.report:
                leave_results(cfg)
            check_data(cfg, training=False)
            from projects.glee.engine.runner import run_config
            cfg.model = run_config.without_teacher(cfg.model)
            run_config.check_checkpoint(cfg)
            if args.show or args.show_dir:
                from mmdet.engine.hooks.utils import trigger_visualization_hook
                cfg = trigger_visualization_hook(cfg, args)
            runner = run_config.build_runner(cfg)
            run_config.build_data(runner, training=False)
        if args.out is not None:
            from mmdet.evaluation import DumpDetResults
            runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=args.out))
        runner.test()
        if args.report and runner.rank == 0:
            from projects.glee.evaluation.analysis import write_report
            print(f'report: {write_report(cfg.work_dir)}')


def leave_results(cfg) -> None:
    """Let metrics of detections write the files that the report reads, where the config does not already say so."""
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    for evaluator in evaluators:
        members = evaluator.get('sets', {'': evaluator})
        for name, metric in members.items():
            if metric.type in ('CocoEvalMetric', 'LVISEvalMetric', 'LVISFixedEvalMetric') and (
                    not metric.get('outfile_prefix')):
                metric.outfile_prefix = str(Path(cfg.work_dir, 'results', name))


if __name__ == '__main__':
    main()
