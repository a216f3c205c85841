"""Checks whether a video result file is what its benchmark accepts.

Example:
    python tools/analysis_tools/check_results.py vis work_dirs/glee_mini_ytvis/results.zip \\
        --truth data/miniworld/ytvis_2019/annotations/instances_val_sub.json
    python tools/analysis_tools/check_results.py vos work_dirs/glee_mini_vos/masks \\
        --frames data/miniworld/DAVIS/JPEGImages/480p --videos data/miniworld/DAVIS/ImageSets/2017/val.txt
"""
import argparse
import sys

from projects.glee.datasets.store.pictures import read_name_list
from projects.glee.evaluation.functional.result_checks import (
    ResultFileError,
    check_bdd,
    check_burst,
    check_expression_masks,
    check_object_maps,
    check_ref_davis,
    check_tao,
    check_vis,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('format', choices=['vis', 'tao', 'burst', 'bdd', 'vos', 'rvos', 'ref_davis'])
    parser.add_argument('results', help='file (vis, tao, burst, bdd) or folder (vos, rvos, ref_davis)')
    parser.add_argument('--truth', help='annotation file: of the videos (vis, bdd), validation.json (tao), '
                        'all_classes.json (burst), meta_expressions.json (rvos, ref_davis)')
    parser.add_argument('--frames', help='folder of the pictures (vos, rvos, ref_davis)')
    parser.add_argument('--videos', help='list of the tested videos, one per line, where --frames holds others '
                        'too (vos, optional)')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    needed = dict(vos=['frames'], rvos=['frames', 'truth'], ref_davis=['frames', 'truth']).get(args.format, ['truth'])
    missing = [f'--{name}' for name in needed if getattr(args, name) is None]
    if missing:
        print(f'{args.format} needs {" and ".join(missing)}', file=sys.stderr)
        return 2
    if args.videos is not None and args.format != 'vos':
        print(f'{args.format} takes no --videos, its --truth names them', file=sys.stderr)
        return 2
    check = dict(vis=check_vis, tao=check_tao, burst=check_burst, bdd=check_bdd, vos=check_object_maps,
                 rvos=check_expression_masks, ref_davis=check_ref_davis)
    inputs = [getattr(args, name) for name in needed]
    try:
        if args.videos is not None:
            inputs.append(read_name_list(args.videos))
        count = check[args.format](args.results, *inputs)
    except (ResultFileError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f'{args.results}: {count} entries, all valid')
    return 0


if __name__ == '__main__':
    sys.exit(main())
