"""Collect the phrases of Visual Genome, from which training draws names that are not in a picture.

Examples:
    python tools/dataset_converters/visual_genome_names.py \\
        data/visual_genome/annotations/train_from_objects.json \\
        data/visual_genome/annotations/train.json --out data/visual_genome/annotations/names.txt
    python tools/dataset_converters/visual_genome_names.py train.json --out names.txt --min-count 2
"""
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from rich.progress import track

from projects.glee.datasets.image.phrase_names import count_phrases, write_names


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('annotations', nargs='+', help='COCO-like files with a phrase per annotation')
    parser.add_argument('--out', required=True, help='text file, one name per line, frequent ones first')
    parser.add_argument('--min-count', type=int, default=1, help='leave out rarer phrases')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        counts = count_phrases(
            args.annotations, progress=lambda items, total: track(items, 'images', total=total))
        print(f'{args.out}: {write_names(counts, args.out, args.min_count)} names')
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f'{sys.argv[0]}: {error}')


if __name__ == '__main__':
    main()
