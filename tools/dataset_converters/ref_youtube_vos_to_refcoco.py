"""Writes Ref-YouTube-VOS as train.json (a video per sentence) and its frames in the layout of RefCOCO.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse
from pathlib import Path

from projects.glee.datasets.conversion import (
    convert_ref_youtube_vos,
    convert_referring_videos,
    run_conversion,
    show_progress,
)


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/ref_youtube_vos_to_refcoco.py data/ref-youtube-vos')
    parser.add_argument('root', help='folder with meta_expressions/ and {split}/JPEGImages, {split}/Annotations; '
                        '{split}.json and the images file are written into it')
    parser.add_argument('--split', default='train', help='default: train')
    parser.add_argument('--out', default='RVOS_refcocofmt.json', help='name of the images file (default: %(default)s)')
    parser.add_argument('--rewrite-videos', action='store_true', help='make {split}.json anew although it is there')
    return parser.parse_args()


def main():
    args = parse_args()
    root = Path(args.root)
    videos, out = root / f'{args.split}.json', root / args.out
    if args.rewrite_videos or not videos.is_file():
        run_conversion(convert_ref_youtube_vos, videos, root / f'meta_expressions/{args.split}/meta_expressions.json',
                       root / args.split / 'JPEGImages', root / args.split / 'Annotations', videos, show_progress)
    run_conversion(convert_referring_videos, out, videos, out, show_progress)


if __name__ == '__main__':
    main()
