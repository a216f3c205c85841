"""Segment one object of a picture from points, a box or a sentence.

Examples:
    glee click pets.jpg --point 120 80 --weights GLEE_Lite_joint.pth
    glee click pets.jpg --point 120 80 --point 200 90 -1 --weights glee_lite.pth --mask pet.png
    glee click pets.jpg --box 10 20 90 160 --text 'the sleeping one' --weights glee_lite.pth
    glee click pets.jpg --point 120 80 --candidates 3 --names cat dog --weights glee_lite.pth

The picture with the object drawn goes to --out, its mask (white on black) to --mask; other masks that the prompt could
mean, with --candidates, to the same names with _2, _3, ... at their end.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Sequence

from .options import add_model, add_prompt, make_inferencer, need_weights, read_prompts


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee click``."""
    parser.add_argument('picture', help='a picture file')
    add_prompt(parser)
    parser.add_argument('--names', nargs='+', metavar='NAME', help='names to label the object with')
    add_model(parser)
    parser.add_argument('--candidates', type=int, default=1, metavar='N',
                        help='write up to N masks that the prompt could mean, the best first (default %(default)s)')
    parser.add_argument('--out', metavar='FILE', help='picture with the object drawn; default: <picture>_glee.jpg here')
    parser.add_argument('--mask', metavar='FILE.png', help='write the mask of the first object')


def run(args: Namespace) -> bool:
    """Never leaves anything out."""
    prompts = read_prompts(args)
    if args.candidates > 1 and len(prompts) > 1:
        raise ValueError(f'--candidates is for one object, but {len(prompts)} are given')
    from projects.glee.apis.picture_source import find_pictures
    image = next(find_pictures(args.picture)).read()
    need_weights(args)
    session = make_inferencer(args).open_image(image, args.names)
    found = session.add_many(prompts, args.candidates)
    for number, objects in enumerate(zip(*(one.candidates for one in found)) if args.candidates > 1 else [found], 1):
        _write(args, objects, image, '' if number == 1 else f'_{number}')
    return False


def _write(args: Namespace, objects: Sequence, image, ending: str) -> None:
    """Picture and mask of one candidate, or of all objects."""
    from PIL import Image

    from projects.glee.apis.image_result import ImageResult
    result = ImageResult.of_objects(objects, image.shape[:2], image)
    target = result.save(_ended(args.out or f'{Path(args.picture).stem}_glee.jpg', ending))
    for name, score, box in zip(result.names, result.scores, result.boxes):
        print(f'{name}: score {score:.2f}, box {" ".join(f"{value:.0f}" for value in box)} -> {target}')
    if args.mask:
        Image.fromarray(result.masks[0]).save(_ended(args.mask, ending))


def _ended(path: str, ending: str) -> Path:
    return Path(path).with_stem(Path(path).stem + ending)
