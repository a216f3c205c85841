"""Writes the frames of YouTube-VIS like annotations as a COCO file of independent images.

A stopped run goes on where it was when it is started again with the same arguments.
"""
import argparse

from projects.glee.datasets.conversion import convert_videos, run_conversion, show_progress


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='example: python tools/dataset_converters/videos_to_coco.py '
        'data/ytvis_2019/annotations/instances_train_sub.json data/ytvis_2019/annotations/ytvis19_cocofmt.json')
    parser.add_argument('videos',
                        help='file with videos[].file_names and per frame annotations[].bboxes, .segmentations')
    parser.add_argument('out', help='COCO file to write')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_videos, args.out, args.videos, args.out, show_progress)


if __name__ == '__main__':
    main()
