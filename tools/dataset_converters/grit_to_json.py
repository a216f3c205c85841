"""Writes GRIT (parquet files, webdataset tars or folders of img2dataset) as one COCO-like file of phrases.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse

from projects.glee.datasets.conversion import convert_grit, run_conversion, show_progress


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/grit_to_json.py data/GRIT20M/images data/GRIT20M/grit_5m.json')
    parser.add_argument('source', help='folder of 00000.parquet (needs pyarrow), 00000.tar or 00000/*.json, ...')
    parser.add_argument('out', help='file to write')
    parser.add_argument('--phrases', nargs='+', choices=['noun_chunks', 'ref_exps'], default=['noun_chunks'],
                        help='default: noun_chunks')
    parser.add_argument('--min-score', type=float, default=0., help='leave phrases below out (default: 0)')
    parser.add_argument('--pattern', default='{shard}/{key}.jpg',
                        help='file name of an image (default: %(default)s)')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_grit, args.out, args.source, args.out, tuple(args.phrases), args.min_score, args.pattern,
                   show_progress)


if __name__ == '__main__':
    main()
