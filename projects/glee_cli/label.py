"""Label a folder of pictures by names, as one COCO file.

Examples:
    glee label photos/ --names person car 'traffic light' --weights glee_lite.pth --out labels.json
    glee label photos/ --names cat:0.5 dog:0.35 --weights glee_lite.pth --out labels.json
    glee label photos/ --names cat --weights glee_lite.pth --ray local --workers 4
    glee label /mnt/photos --names cat --weights /mnt/glee_lite.pth --ray ray://head:10001

The pictures of the folder and the folders below it, whatever their number. After a stop, even in the middle of a
picture, the same command goes on and ends with the same file. NAME:SCORE gives a name a threshold of its own.

--ray spreads the work over processes of this machine or machines of a Ray cluster (pip install -r
requirements/scale.txt), one model each; Ray gives a lost worker's pictures to another. The machines of a cluster have
this package and see pictures and weights by the same paths. The file is that of one process.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import add_model, make_inferencer, need_weights, report_errors


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee label``."""
    parser.add_argument('folder', help='folder of pictures')
    parser.add_argument('--names', nargs='+', required=True, metavar='NAME[:SCORE]', help='what to look for')
    parser.add_argument('--out', default='labels.json', metavar='FILE.json',
                        help='COCO file to write (default %(default)s)')
    parser.add_argument('--score-thr', type=float, default=0.3,
                        help='lowest score of names without one of their own (default %(default)s)')
    parser.add_argument('--batch-size', type=int, default=1, help='pictures of one size at once (default %(default)s)')
    group = parser.add_argument_group('more than one process')
    group.add_argument('--ray', metavar='local|ADDRESS', help="'local', or the address of a Ray cluster")
    group.add_argument('--workers', type=int, help='workers of Ray; by default one per GPU, or without any per core')
    add_model(parser)


def run(args: Namespace) -> bool:
    """Whether pictures were left out."""
    thresholds = read_thresholds(args.names, args.score_thr)
    if args.workers is not None and (args.ray is None or args.workers < 1):
        raise ValueError(f'--workers {args.workers}: ' + ('it is that of --ray' if args.ray is None else
                                                          'there must be one at least'))
    folder = Path(args.folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'folder {folder} does not exist')
    need_weights(args)
    from projects.glee.apis.labelling import label_pictures
    from projects.glee.datasets.store.pictures import list_pictures
    pictures = list_pictures(folder, recursive=True)
    if not pictures:
        raise ValueError(f'{folder} holds no picture')
    weights = Path(args.weights).expanduser()
    settings = dict(model=args.model, weights=str(weights.resolve()), written=weights.stat().st_mtime_ns)
    errors = label_pictures(lambda: make_inferencer(args), pictures, folder, thresholds, args.out, settings,
                            args.batch_size, args.ray, args.workers)
    print(f'{args.out}: {len(pictures) - len(errors)} pictures labelled')
    return report_errors(errors)


def read_thresholds(words: list[str], default: float) -> dict[str, float]:
    """Name -> lowest score of ``NAME`` and ``NAME:SCORE``.

    Raises:
        ValueError: a score is none, or a name is there twice.
    """
    thresholds: dict[str, float] = {}
    for word in words:
        name, mark, score = word.rpartition(':')
        if not mark:
            name, score = word, default
        try:
            value = float(score)
        except ValueError:
            raise ValueError(f'--names {word!r}: {score!r} is no score') from None
        if not name.strip() or name in thresholds:
            raise ValueError(f'--names {word!r}: ' + (
                'the name is there twice' if name.strip() else 'the name is empty'))
        thresholds[name] = value
    return thresholds
