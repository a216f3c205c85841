"""Writes BDD100K labels (Scalabel JSON) as COCO files of images or as YouTube-VIS like files of tracks.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse

from projects.glee.datasets.conversion import convert_bdd_images, convert_bdd_tracks, run_conversion, show_progress
from projects.glee.datasets.conversion.bdd import DETECTION, SEGMENTATION

# kind -> conversion, categories, masks
KINDS = {
    'det': (convert_bdd_images, DETECTION, False),
    'ins_seg': (convert_bdd_images, SEGMENTATION, True),
    'box_track': (convert_bdd_tracks, SEGMENTATION, False),
    'seg_track': (convert_bdd_tracks, SEGMENTATION, True),
}


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/bdd_to_coco.py det data/bdd100k/labels/det_20/det_train.json '
        'data/bdd100k/labels/det_20/det_train_cocofmt.json')
    parser.add_argument('kind', choices=KINDS, help='which labels these are; masks come from polygons')
    parser.add_argument('labels', help='file of frames, or folder of such files (one per video for tracks)')
    parser.add_argument('out', help='file to write')
    parser.add_argument('--categories', nargs='+', help="names in the order of their ids (default: BDD's own)")
    return parser.parse_args()


def main():
    args = parse_args()
    convert, categories, masks = KINDS[args.kind]
    run_conversion(convert, args.out, args.labels, args.out, tuple(args.categories or categories), masks,
                   show_progress)


if __name__ == '__main__':
    main()
