"""Convert a released GLEE checkpoint to this project's keys.

Example:
    python tools/model_converters/glee_official.py GLEE_Lite_joint.pth glee_lite_joint.pth --size lite
"""
import argparse
import sys
from pathlib import Path

import torch

from projects.glee.engine.official_keys import SIZES, convert_state_dict, unwrap_official


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', type=Path, help='released checkpoint, .pth')
    parser.add_argument('dst', type=Path, help='file to write')
    parser.add_argument('--size', choices=SIZES, required=True, help='which model it is')
    args = parser.parse_args()
    if not args.src.is_file():
        sys.exit(f'{args.src}: no such file')
    official = unwrap_official(torch.load(args.src, map_location='cpu', weights_only=True))
    state_dict, dropped = convert_state_dict(official, args.size)
    args.dst.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=state_dict, meta=dict(source=args.src.name, size=args.size)), args.dst)
    for key, reason in dropped.items():
        print(f'dropped {key}: {reason}')
    print(f'{args.dst}: {len(state_dict)} tensors from {len(official)}, {len(dropped)} dropped')


if __name__ == '__main__':
    main()
