"""Convert pre-trained backbone weights for `backbone.init_cfg`, or write a backbone back.

Swin: the original repository's layout or mmdet's. EVA-02: the original repository's layout, of
masked image modelling or classification, EVA02-L with patches of 16 px (files named p14to16).

Examples:
    python tools/model_converters/backbone.py swin_large_384_22k.pth swin-l.pth --arch swin
    python tools/model_converters/backbone.py eva02_L_p14to16.pt eva02-l.pth --arch eva02
"""
from projects.glee.engine.checkpoints.backbone_tables import ARCHS, convert_backbone, revert_backbone
from projects.glee.engine.checkpoints.converter_cli import convert_file, converter_parser, with_meta


def main() -> None:
    parser = converter_parser(__doc__)
    parser.add_argument('--arch', choices=ARCHS, required=True, help='which backbone it is')
    args = parser.parse_args()
    if args.reverse:
        convert_file(args, lambda weights: revert_backbone(weights, args.arch), lambda weights: dict(model=weights))
    else:
        convert_file(args, lambda weights: convert_backbone(weights, args.arch), with_meta(args, arch=args.arch))


if __name__ == '__main__':
    main()
