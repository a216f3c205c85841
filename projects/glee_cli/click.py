"""Segment one object of a picture from points, a box or a sentence.

Examples:
    glee click pets.jpg --point 120 80 --weights GLEE_Lite_joint.pth
    glee click pets.jpg --point 120 80 --point 200 90 -1 --weights glee_lite.pth --mask pet.png
    glee click pets.jpg --box 10 20 90 160 --text 'the sleeping one' --weights glee_lite.pth

The picture with the object drawn goes to --out, its mask (white on black) to --mask.
"""
from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import add_model, add_prompt, make_inferencer, need_weights, read_prompts


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of ``glee click``."""
    parser.add_argument('picture', help='a picture file')
    add_prompt(parser)
    parser.add_argument('--names', nargs='+', metavar='NAME', help='names to label the object with')
    add_model(parser)
    parser.add_argument('--out', metavar='FILE', help='picture with the object drawn; default: <picture>_glee.jpg here')
    parser.add_argument('--mask', metavar='FILE.png', help='write the mask of the first object')


def run(args: Namespace) -> bool:
    """Never leaves anything out."""
    prompts = read_prompts(args)
    from PIL import Image

    from projects.glee.apis.picture_source import find_pictures
    image = next(find_pictures(args.picture)).read()
    need_weights(args)
    result = make_inferencer(args)(image, prompts=prompts)[0]
    target = result.save(args.out or f'{Path(args.picture).stem}_glee.jpg')
    for score, box in zip(result.scores, result.boxes):
        print(f'score {score:.2f}, box {" ".join(f"{value:.0f}" for value in box)} -> {target}')
    if args.mask:
        Image.fromarray(result.masks[0]).save(args.mask)
    return False
