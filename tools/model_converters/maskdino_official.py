"""Convert a released Mask DINO R50 checkpoint to the start of GLEE's stage 1, or back.

Taken are the pixel decoder, the object decoder and the box and mask heads; for Lite also the
backbone. The text encoder, the fusion, the prompter and the label tables are not in it: training
then needs `load_ignore`, which the script prints.

Examples:
    python tools/model_converters/maskdino_official.py maskdino_r50.pth maskdino.pth --size lite
    python tools/model_converters/maskdino_official.py maskdino_r50.pth maskdino.pth --size plus
"""
from mmengine.logging import print_log

from projects.glee.engine.checkpoints.converter_cli import convert_file, converter_parser, with_meta
from projects.glee.engine.checkpoints.mask_dino_keys import BACKBONE_PARTS, GLEE_PARTS, mask_dino_table
from projects.glee.engine.checkpoints.official_keys import SIZES


def main() -> None:
    parser = converter_parser(__doc__)
    parser.add_argument('--size', choices=SIZES, required=True,
                        help='GLEE model that starts from it; only lite has the same backbone')
    args = parser.parse_args()
    same_backbone = args.size == 'lite'
    table = mask_dino_table(same_backbone)
    if args.reverse:
        convert_file(args, table.to_theirs, lambda weights: dict(model=weights))
        return
    convert_file(args, table.to_ours, with_meta(args, size=args.size))
    parts = GLEE_PARTS if same_backbone else GLEE_PARTS + BACKBONE_PARTS
    print_log(f'train from it with --cfg-options load_from={args.dst} load_ignore={",".join(parts)}')


if __name__ == '__main__':
    main()
