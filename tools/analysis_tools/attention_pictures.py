"""Draw where the queries of the best detections of pictures look: the points that the last layer of the decoder reads.

Examples:
    python tools/analysis_tools/attention_pictures.py glee_mini work_dirs/quickstart/glee_mini.pth street.jpg \\
        --names star ring --out work_dirs/attention
    python tools/analysis_tools/attention_pictures.py glee_r50 glee_lite.pth street.jpg --names car person \\
        --out work_dirs/coco/attention/pictures

One PNG per picture is written to --out: a copy of the picture for each detection, the larger a disc the more its point
counts. In FOLDER/attention/pictures/ of the work folder of a test, glee analyse FOLDER shows them in its report.
"""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from PIL import Image

from projects.glee.apis import GLEEInferencer
from projects.glee.apis.query_looks import draw_looks, look_of_queries
from projects.glee_cli.startup import program


def parse_args() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('model', help='name or config')
    parser.add_argument('weights', help='checkpoint file')
    parser.add_argument('pictures', nargs='+', type=Path, metavar='PICTURE')
    parser.add_argument('--names', nargs='+', required=True, metavar='NAME', help='what is asked for')
    parser.add_argument('--out', required=True, type=Path, metavar='FOLDER')
    parser.add_argument('--count', type=int, default=6, help='detections of a picture (default %(default)s)')
    parser.add_argument('--device', default='cpu', help="'cuda' or 'cpu' (default)")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.count < 1:
        raise ValueError(f'--count must be at least 1, got {args.count}')
    glee = GLEEInferencer(args.model, args.weights, device=args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    for path in args.pictures:
        session = glee.open_image(path)
        looks = look_of_queries(session, args.names, args.count)
        place = args.out / f'{path.name}.png'
        Image.fromarray(draw_looks(session.image.picture, looks)).save(place)
        print(place)


if __name__ == '__main__':
    with program():
        main()
