"""Convert a released GLEE checkpoint to this project's names, or back.

Both kinds of released files are read: bare names, or names with 'glee.' inside 'model'.

Examples:
    python tools/model_converters/glee_official.py GLEE_Lite_joint.pth glee_lite.pth --size lite
    python tools/model_converters/glee_official.py glee_lite.pth GLEE_Lite.pth --size lite --reverse
"""
from functools import partial

from projects.glee.engine.checkpoints.converter_cli import convert_file, converter_parser, with_meta
from projects.glee.engine.checkpoints.official_keys import (
    SIZES,
    convert_state_dict,
    revert_state_dict,
    strip_wrapper,
    wrap_official,
)


def main() -> None:
    parser = converter_parser(__doc__)
    parser.add_argument('--size', choices=SIZES, required=True, help='which model it is')
    parser.add_argument(
        '--wrapped', action='store_true',
        help="with --reverse: write names with 'glee.' inside 'model', as the original's training "
        'expects them, instead of bare ones')
    args = parser.parse_args()
    if args.wrapped and not args.reverse:
        parser.error('--wrapped needs --reverse')
    if args.reverse:
        convert_file(args, partial(revert_state_dict, size=args.size),
                     wrap_official if args.wrapped else dict)
    else:
        convert_file(args, lambda weights: convert_state_dict(strip_wrapper(weights), args.size),
                     with_meta(args, size=args.size))


if __name__ == '__main__':
    main()
