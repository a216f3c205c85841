"""Writes TAO's train.json or validation.json in the layout of YouTube-VIS: a track of boxes per annotation."""
import argparse

from projects.glee.datasets.conversion import convert_tao, run_conversion


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/tao_to_ytvis.py data/TAO/TAO_annotations/validation.json '
        'data/TAO/TAO_annotations/validation_ytvisfmt.json')
    parser.add_argument('tao', help='train.json, validation.json, or the file of test without annotations')
    parser.add_argument('out', help='file to write')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_tao, args.out, args.tao, args.out)


if __name__ == '__main__':
    main()
