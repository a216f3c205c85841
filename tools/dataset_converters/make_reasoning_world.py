"""Writes MiniWorld's questions for reasoning segmentation: pictures in the layout of ReasonSeg, and two sets of videos
in the layout of MeViS: look-alikes that pass each other, and objects that stop, set off, never rest or never move.

Examples:
    python tools/dataset_converters/make_reasoning_world.py data/miniworld
    python tools/dataset_converters/make_reasoning_world.py data/miniworld --images 200 --val-images 40
    python tools/dataset_converters/make_reasoning_world.py data/miniworld --images 0 --val-images 0 \\
        --videos 300 --val-videos 40 --video-sets stop_and_go
"""
import argparse
import sys

from rich.progress import track

from projects.glee.miniworld import MiniWorldError
from projects.glee.miniworld.reasoning_world import VIDEO_SETS, build_reasoning_world


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', help='folder, in which ReasonSeg/, look_alikes/ and stop_and_go/ are made')
    parser.add_argument('--images', type=int, default=1500, help='training pictures, 0 for none (default: %(default)s)')
    parser.add_argument('--val-images', type=int, default=150, help='test pictures (default: %(default)s)')
    parser.add_argument('--videos', type=int, default=0,
                        help='training videos of each set (default: %(default)s)')
    parser.add_argument('--val-videos', type=int, default=0, help='test videos (default: %(default)s)')
    parser.add_argument('--video-sets', nargs='+', default=list(VIDEO_SETS), choices=VIDEO_SETS,
                        help='which sets of videos (default: all)')
    parser.add_argument('--seed', type=int, default=0, help='same seed, same bytes (default: %(default)s)')
    return parser.parse_args()


def main():
    args = parse_args()
    try:
        build_reasoning_world(args.out, args.images, args.val_images, args.seed, track, args.videos,
                              args.val_videos, args.video_sets)
    except MiniWorldError as error:
        sys.exit(f'make_reasoning_world: {error}')
    written = ['ReasonSeg'] * bool(args.images) + args.video_sets * bool(args.videos)
    print(f'{args.out}: {", ".join(written)} written')


if __name__ == '__main__':
    main()
