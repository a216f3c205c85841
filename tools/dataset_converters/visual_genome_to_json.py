"""Writes Visual Genome's objects.json or region_descriptions.json as a COCO-like file of phrases.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse

from projects.glee.datasets.conversion import convert_visual_genome, run_conversion, show_progress


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='examples:\n    python tools/dataset_converters/visual_genome_to_json.py '
        'data/visual_genome/objects.json data/visual_genome/image_data.json '
        'data/visual_genome/annotations/train_from_objects.json\n'
        '    python tools/dataset_converters/visual_genome_to_json.py data/visual_genome/region_descriptions.json '
        'data/visual_genome/image_data.json data/visual_genome/annotations/train.json')
    parser.add_argument('phrases', help='objects.json or region_descriptions.json as released')
    parser.add_argument('image_data', help='image_data.json as released, which has the sizes of the images')
    parser.add_argument('out', help='file to write')
    parser.add_argument('--pattern', default='{id}.jpg',
                        help='file name of an image, from {id} and {folder}, VG_100K or VG_100K_2 (default: '
                        '%(default)s: both archives unpacked into one folder)')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_visual_genome, args.out, args.phrases, args.image_data, args.out, args.pattern,
                   show_progress)


if __name__ == '__main__':
    main()
