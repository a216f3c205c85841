"""Thins SA-1B's masks (parts of larger masks go) and writes the index of all images.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse

from projects.glee.datasets.conversion import convert_sa1b, run_conversion, show_progress


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/sa1b_index.py data/SA1B/original data/SA1B_scaleup/images '
        'data/SA1B_scaleup/sa1b_2m.json --max-images 2000000')
    parser.add_argument('json_dir', help='folder of the released sa_1.json, ...')
    parser.add_argument('thin_dir', help='folder for the thinned JSON files, where the readers look: beside the images')
    parser.add_argument('out', help='index to write')
    parser.add_argument('--threshold', type=float, default=0.5,
                        help='largest overlap (IoU, or common part of either mask) of masks that stay (default: 0.5)')
    parser.add_argument('--max-images', type=int, help='only the first so many images')
    parser.add_argument('--workers', type=int, default=0, help='processes beside this one (default: 0)')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_sa1b, args.out, args.json_dir, args.thin_dir, args.out, args.threshold, args.max_images,
                   show_progress, args.workers)


if __name__ == '__main__':
    main()
