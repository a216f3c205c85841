"""Writes Pascal VOC's XML files, as many labelling tools export them, as one COCO file of boxes."""
import argparse

from projects.glee.datasets.conversion import convert_voc, run_conversion


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/voc_to_coco.py bccd bccd/train.json --split train')
    parser.add_argument('root', help='folder with Annotations, JPEGImages and ImageSets/Main')
    parser.add_argument('out', help='COCO file to write')
    parser.add_argument('--split', help='ImageSets/Main/SPLIT.txt lists the pictures; by default every XML file')
    parser.add_argument('--names', nargs='+', default=(), help='the categories in order, by default by the alphabet')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_voc, args.out, args.root, args.out, args.split, tuple(args.names))


if __name__ == '__main__':
    main()
