"""Convert a released GLEE checkpoint to this project's names, or back.

Both kinds of released files are read: bare names, or names with 'glee.' inside 'model'.

Examples:
    python tools/model_converters/glee_official.py GLEE_Lite_joint.pth glee_lite.pth --size lite
    python tools/model_converters/glee_official.py glee_lite.pth GLEE_Lite.pth --size lite --reverse
"""
from projects.glee.engine.checkpoints.converter_cli import converter_parser
from projects.glee.engine.checkpoints.glee_files import convert_glee_file
from projects.glee.engine.checkpoints.official_keys import SIZES


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
    convert_glee_file(args, args.wrapped)


if __name__ == '__main__':
    main()
