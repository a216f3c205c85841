"""Find objects in pictures by names, sentences or prompts.

Examples:
    glee predict street.jpg --names person car 'traffic light' --weights GLEE_Lite_joint.pth
    glee predict photos/ --names cat --model glee_mini --weights work_dirs/quickstart/glee_mini.pth --out found
    glee predict '*.png' --expressions 'the dog on the left' --weights glee_lite.pth --json found.json
    glee predict pets.jpg --point 120 80 --weights glee_lite.pth
    glee predict kitchen.jpg --ask 'what would burn me?' --language-model adapter/ --weights glee_lite.pth
    glee predict photos/ --names cat dog --weights glee_lite.pth --labelme photos --coco photos.json --yolo yolo

Pictures with the objects drawn go to --out, one per input, and results to --json. For other tools: --coco, --labelme,
--yolo (outlines for segmentation) and --yolo-boxes (for detection).
"""
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import (
    add_model,
    add_prompt,
    add_question,
    check_question,
    make_inferencer,
    need_weights,
    read_prompts,
    report_errors,
)

JPEG_LIMIT = 65500  # px


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee predict``."""
    parser.add_argument('pictures', nargs='+', help='files, folders or globs')
    add_question(parser)
    parser.add_argument('--stuff', nargs='+', metavar='NAME', help='names without instances (sky); gives panoptic maps')
    add_prompt(parser)
    add_model(parser)
    parser.add_argument('--out', default='glee_results', metavar='FOLDER',
                        help='pictures of results (default %(default)s)')
    parser.add_argument('--json', metavar='FILE', help='write names, scores, boxes and masks of all pictures')
    parser.add_argument('--coco', metavar='FILE.json', help='write a COCO data set of all pictures, with scores')
    parser.add_argument('--labelme', metavar='FOLDER', help='write a labelme file of polygons per picture')
    parser.add_argument('--yolo', metavar='FOLDER', help='write YOLO text files of outlines, and data.yaml')
    parser.add_argument('--yolo-boxes', metavar='FOLDER', help='the same of boxes')
    parser.add_argument('--score-thr', type=float, default=0.3, help='lowest score of an object (default %(default)s)')
    parser.add_argument('--max-per-img', type=int, default=100, help='most objects of a picture (default %(default)s)')
    parser.add_argument('--nms-iou', type=float, help='leave out boxes that overlap a better one more than this')
    parser.add_argument('--batch-size', type=int, default=1, help='pictures of one size at once (default %(default)s)')
    parser.add_argument('--marks', action='store_true', help='number the objects instead of naming them')


def run(args: Namespace) -> bool:
    """Whether pictures were left out."""
    prompted = bool(args.prompts or args.point or args.box or args.text)
    if not (args.names or args.expressions or prompted or args.ask):
        raise ValueError('say what to look for: --names, --expressions, --point, --box, --text, --prompts or --ask')
    check_question(args)
    prompts = read_prompts(args) if prompted else None
    from projects.glee.apis.picture_source import find_pictures
    from projects.glee.apis.result_formats import FreeNames
    from projects.glee.visualization import Renderer
    sources = list(find_pictures(args.pictures))
    if len(sources) == 1:
        sources[0].read()  # a damaged picture is found before the model is built
    need_weights(args)
    glee = make_inferencer(args, score_thr=args.score_thr, max_per_img=args.max_per_img, nms_iou=args.nms_iou)
    renderer, free, lines, writers = Renderer(marks=args.marks), FreeNames(), [], _writers(args)
    for result in glee([source.path for source in sources], names=args.names, expressions=args.expressions,
                       prompts=prompts, stuff=args.stuff, batch_size=args.batch_size, stream=True, ask=args.ask,
                       on_text=lambda piece: print(piece, end='', flush=True)):
        if args.ask:
            print()
        suffix = '.jpg' if max(result.shape) < JPEG_LIMIT else '.png'
        target = result.save(Path(args.out) / f'{free.of(result.path)}{suffix}', renderer)
        print(f'{result.path}: {_counted(result.names)} -> {target}')
        lines.append(result.to_dict())
        for writer in writers:
            writer.write(result)
    for writer in writers:
        writer.close()
    if args.json:
        text = json.dumps(lines, ensure_ascii=False)
        Path(args.json).write_text(text, encoding='utf-8', errors='backslashreplace')  # file names may be no text
    return report_errors(glee.errors)


def _counted(names: list[str]) -> str:
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return ', '.join(f'{count} {name}' for name, count in counts.items()) or 'nothing found'


def _writers(args: Namespace) -> list:
    """Of the files for other tools that are asked for."""
    from projects.glee.apis.result_formats import CocoFile, LabelmeFolder, YoloFolder
    names = [*(args.names or ()), *(args.expressions or ())]
    return [make() for asked, make in (
        (args.coco, lambda: CocoFile(args.coco, names)), (args.labelme, lambda: LabelmeFolder(args.labelme)),
        (args.yolo, lambda: YoloFolder(args.yolo, names)),
        (args.yolo_boxes, lambda: YoloFolder(args.yolo_boxes, names, with_masks=False))) if asked]
