"""Writes one training file of RefCOCO, RefCOCO+ and RefCOCOg without any image that one of them tests on."""
import argparse
from pathlib import Path

from projects.glee.datasets.conversion import ConversionError, merge_refcoco, run_conversion

SETS = ('refcoco-unc', 'refcocoplus-unc', 'refcocog-umd')


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example: python tools/dataset_converters/merge_refcoco.py data/annotations')
    parser.add_argument('root', help=f'folder with {", ".join(SETS)}, each of instances_{{train,val,...}}.json')
    parser.add_argument('--out', help='file to write (default: ROOT/refcoco-mixed/instances_train.json)')
    return parser.parse_args()


def merge(root: Path, out: Path) -> dict:
    train = [root / name / 'instances_train.json' for name in SETS]
    held_out = [sorted(set((root / name).glob('instances_*.json')) - set(train)) for name in SETS]
    for name, files in zip(SETS, held_out):
        if not files:
            raise ConversionError(f'{root / name} holds no val or test files, which must be left out')
    return merge_refcoco(train, sum(held_out, []), out)


def main():
    args = parse_args()
    root = Path(args.root)
    out = Path(args.out) if args.out else root / 'refcoco-mixed/instances_train.json'
    run_conversion(merge, out, root, out)


if __name__ == '__main__':
    main()
