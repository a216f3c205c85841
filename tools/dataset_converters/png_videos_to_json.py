"""Writes videos whose objects are PNG files of ids (YouTube-VOS, MOSE, DAVIS) as a YouTube-VIS like file.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse

from projects.glee.datasets.conversion import convert_png_videos, run_conversion, show_progress


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/png_videos_to_json.py data/ytbvos18/train/JPEGImages '
        'data/ytbvos18/train/Annotations data/ytbvos18/train/train.json')
    parser.add_argument('images', help='folder of {video}/{frame}.jpg')
    parser.add_argument('masks', help='folder of {video}/{frame}.png')
    parser.add_argument('out', help='file to write')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_png_videos, args.out, args.images, args.masks, args.out, show_progress)


if __name__ == '__main__':
    main()
