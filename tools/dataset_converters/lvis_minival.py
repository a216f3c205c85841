"""Writes LVIS minival: the images of lvis_v1_val.json that are in COCO's val2017 (4809), with their file names."""
import argparse

from projects.glee.datasets.conversion import convert_lvis_minival, run_conversion


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/lvis_minival.py data/lvis/lvis_v1_val.json '
        'data/lvis/lvis_v1_minival_inserted_image_name.json')
    parser.add_argument('val', help='lvis_v1_val.json as released')
    parser.add_argument('out', help='file to write')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_lvis_minival, args.out, args.val, args.out)


if __name__ == '__main__':
    main()
