"""Writes MiniWorld, a deterministic synthetic world in the formats of the real data sets."""
import argparse
import sys
from pathlib import Path

import cv2
from rich.progress import track

from projects.glee.miniworld import SOURCES, MiniWorldError, build_miniworld, contact_sheet


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='examples:\n    python tools/dataset_converters/make_miniworld.py --out data/miniworld --images 2000\n'
        '    python tools/dataset_converters/make_miniworld.py --out data/miniworld_all --images 400 --videos 40 '
        '--sources all')
    parser.add_argument('--out', required=True, help='folder to write, e.g. data/miniworld')
    parser.add_argument('--images', type=int, required=True,
                        help='training images of each image source (COCO, Objects365)')
    parser.add_argument('--val-images', type=int,
                        help='validation images of each source (default: images / 8, at least 8)')
    parser.add_argument('--videos', type=int, default=0, help='training videos of each source of videos')
    parser.add_argument('--val-videos', type=int,
                        help='validation videos of each source (default: videos / 4, at least 4)')
    parser.add_argument('--sources', nargs='+', choices=['all', *SOURCES], metavar='SOURCE',
                        help='all, or some of ' + ', '.join(SOURCES) + ' (default: coco objects365, and with '
                        '--videos all sources of videos)')
    parser.add_argument('--seed', type=int, default=0, help='same seed, same bytes (default: 0)')
    parser.add_argument('--overwrite', action='store_true', help='replace another world in --out')
    parser.add_argument('--preview', metavar='FILE.png', help='also write a contact sheet')
    return parser.parse_args()


def main():
    args = parse_args()
    sources = tuple(SOURCES) if args.sources and 'all' in args.sources else args.sources
    try:
        written = build_miniworld(args.out, args.images, args.videos, args.seed, args.val_images,
                                  args.overwrite, track, sources, args.val_videos)
    except MiniWorldError as error:
        sys.exit(f'make_miniworld: {error}')
    print(f'{args.out}: ' + ('written' if written else 'already complete, nothing to do'))
    if args.preview:
        Path(args.preview).parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(args.preview, contact_sheet(args.seed)[..., ::-1]):
            sys.exit(f'make_miniworld: --preview {args.preview} could not be written')
        print(f'{args.preview}: contact sheet')


if __name__ == '__main__':
    main()
