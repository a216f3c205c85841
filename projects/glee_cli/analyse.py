"""Write a page about a finished test: kinds of errors, scores, sizes, names, the worst pictures, training curves.

Examples:
    python tools/test.py configs/glee/mini/glee_mini_coco.py glee_mini.pth --work-dir work_dirs/coco --report
    glee analyse work_dirs/coco --training work_dirs/glee_mini_stage2

The page, report.html in the folder, needs no other file. What of it there is depends on what the test left: its
numbers always; detections in COCO form with --report of tools/test.py; pictures with --show-dir.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee analyse``."""
    parser.add_argument('folder', help='work folder of the test')
    parser.add_argument('--training', metavar='FOLDER',
                        help='work folder of the training whose curves are shown (default: that of the test)')
    parser.add_argument('--score-thr', type=float, default=0.3,
                        help='of precision, confusion and pictures (default %(default)s)')


def run(args: Namespace) -> bool:
    """Never leaves anything out."""
    from projects.glee.evaluation.analysis import write_report
    if args.training is not None and not Path(args.training).is_dir():
        raise FileNotFoundError(f'--training {args.training} is no folder')
    print(write_report(args.folder, args.training, args.score_thr))
    return False
