"""Write a training's checkpoint without the state of the training: weights and meta information only.

Examples:
    python tools/model_converters/publish.py work_dirs/glee_r50_stage2/iter_500000.pth glee_lite_stage2.pth
"""
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from mmengine.logging import print_log

from projects.glee.engine.checkpoints import read_checkpoint, write_checkpoint

KEPT = ('meta', 'state_dict')


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('src', type=Path, help='checkpoint of a training (.pth)')
    parser.add_argument('dst', type=Path, help='file to write (.pth)')
    args = parser.parse_args()
    try:
        if args.src.resolve() == args.dst.resolve():
            raise ValueError('source and destination are the same file')
        checkpoint = read_checkpoint(args.src)
        missing = [key for key in KEPT if key not in checkpoint]
        if missing:
            raise ValueError(f'no checkpoint of a training: it lacks {" and ".join(missing)}')
    except (ValueError, OSError) as error:
        sys.exit(f'{args.src}: {error}')
    args.dst.parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint({key: checkpoint[key] for key in KEPT}, args.dst)
    dropped = ', '.join(key for key in checkpoint if key not in KEPT)
    print_log(f'{args.dst}: left out {dropped or "nothing"}')


if __name__ == '__main__':
    main()
