"""Writes OpenImages' CSV files of boxes as a COCO file; group boxes become crowd regions.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse

from projects.glee.datasets.conversion import convert_openimages, run_conversion, show_progress


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/openimages_to_coco.py '
        'data/openimages/annotations/oidv6-train-annotations-bbox.csv '
        'data/openimages/annotations/class-descriptions-boxable.csv data/openimages/detection '
        "data/openimages/openimages_v6_train_bbox_splitdir.json --pattern 'train_{first}/{id}.jpg'")
    parser.add_argument('boxes', help='CSV file of boxes')
    parser.add_argument('names', help='class-descriptions-boxable.csv')
    parser.add_argument('images', help='folder of the images, which are opened for their sizes')
    parser.add_argument('out', help='COCO file to write')
    parser.add_argument('--pattern', default='{id}.jpg',
                        help='path below the folder, from {id} and its {first} character (default: %(default)s)')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_openimages, args.out, args.boxes, args.names, args.images, args.out, args.pattern,
                   show_progress)


if __name__ == '__main__':
    main()
