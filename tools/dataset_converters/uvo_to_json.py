"""Writes UVO's files with the categories that GLEE was trained with.

Frames get the one category 'object'; dense videos keep COCO's names, and 'other' is called 'object'.
"""
import argparse

from projects.glee.datasets.conversion import convert_uvo, run_conversion


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='examples:\n    python tools/dataset_converters/uvo_to_json.py data/UVO/annotations/FrameSet/'
        'UVO_frame_train.json data/UVO/annotations/FrameSet/UVO_frame_train_onecate.json\n'
        '    python tools/dataset_converters/uvo_to_json.py data/UVO/annotations/VideoDenseSet/'
        'UVO_video_train_dense_with_label.json '
        'data/UVO/annotations/VideoDenseSet/UVO_video_train_dense_objectlabel.json')
    parser.add_argument('uvo', help='UVO_frame_*.json or UVO_video_*_dense_with_label.json as released')
    parser.add_argument('out', help='file to write')
    parser.add_argument('--one-category', action='store_true', default=None, help="also of videos: all are 'object'")
    parser.add_argument('--suffix', help='of the pictures, e.g. .jpg, where they are stored in another form than .png')
    return parser.parse_args()


def main():
    args = parse_args()
    run_conversion(convert_uvo, args.out, args.uvo, args.out, args.one_category, args.suffix)


if __name__ == '__main__':
    main()
