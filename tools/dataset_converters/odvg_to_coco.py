"""Writes a file of JSON lines as Grounding DINO reads it (ODVG, detection or grounding) as one COCO file of boxes."""
import argparse

from projects.glee.datasets.conversion import convert_odvg, run_conversion


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/odvg_to_coco.py pets.jsonl pets.json --label-map labels.json')
    parser.add_argument('jsonl', help='file of JSON lines')
    parser.add_argument('out', help='COCO file to write')
    parser.add_argument('--label-map', metavar='FILE.json',
                        help='{"0": "cat", ...} for objects that have a label but no category')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_odvg, args.out, args.jsonl, args.out, args.label_map)


if __name__ == '__main__':
    main()
