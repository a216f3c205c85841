"""Writes MiniWorld's questions for reasoning segmentation, in the layout of ReasonSeg.

Examples:
    python tools/dataset_converters/make_reasoning_world.py data/miniworld
    python tools/dataset_converters/make_reasoning_world.py data/miniworld --images 200 --val-images 40
"""
import argparse
import sys

from rich.progress import track

from projects.glee.miniworld import MiniWorldError
from projects.glee.miniworld.reasoning_world import build_reasoning_world


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', help='folder, in which ReasonSeg/ is made')
    parser.add_argument('--images', type=int, default=1500, help='training pictures (default: %(default)s)')
    parser.add_argument('--val-images', type=int, default=150, help='test pictures (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='same seed, same bytes (default: %(default)s)')
    return parser.parse_args()


def main():
    args = parse_args()
    try:
        build_reasoning_world(args.out, args.images, args.val_images, args.seed, track)
    except MiniWorldError as error:
        sys.exit(f'make_reasoning_world: {error}')
    print(f'{args.out}/ReasonSeg: written')


if __name__ == '__main__':
    main()
