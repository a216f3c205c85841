"""Writes REFER's files (RefCOCO, RefCOCO+, RefCOCOg) as a JSON per split, as merge_refcoco.py and training take it."""
import argparse
from pathlib import Path

from projects.glee.datasets.conversion import convert_refer, run_conversion


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python tools/dataset_converters/refer_to_json.py 'data/coco/refcoco+/refs(unc).p' "
        'data/coco/refcoco+/instances.json data/annotations/refcocoplus-unc')
    parser.add_argument('refs', help="refs(unc).p, or refs(umd).p of RefCOCOg; it is read as plain data, no code in it "
                        'runs')
    parser.add_argument('instances', help='instances.json beside it')
    parser.add_argument('out', help='folder of instances_train.json, instances_val.json, ...')
    parser.add_argument('--name', help='name of the data set in the entries (default: the folder of the refs)')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_refer, args.out, args.refs, args.instances, args.out,
                   args.name or Path(args.refs).resolve().parent.name)


if __name__ == '__main__':
    main()
