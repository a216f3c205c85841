"""Measure what prompted objects of one image cost: backbone once, template, encoder and decoder per object.

Examples:
    python tools/analysis_tools/benchmark_prompts.py configs/glee/_base_/models/glee_r50.py
    python tools/analysis_tools/benchmark_prompts.py configs/glee/_base_/models/glee_mini.py --size 160 --objects 4

Prints the seconds of each part with random weights, and two ratios: P objects in one call against P calls that
each start from the image, and one more round against the first. The last line says what a mode without
templates of the prompts (their tokens cut from the image's own features) would save of a round.
"""
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Callable

import numpy as np
import torch
from rich.progress import track

from projects.glee.apis import InteractiveSession, init_model


def seconds(call: Callable, repeats: int, label: str) -> float:
    """Median time of a call, after one that warms up; a GPU ends its work before a clock is read."""
    finish = torch.cuda.synchronize if torch.cuda.is_initialized() else (lambda: None)
    call()
    times = []
    for _ in track(range(repeats), label, transient=True):
        finish()
        start = time.perf_counter()
        call()
        finish()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument('config', help='a config with a `model`')
    parser.add_argument('--size', type=int, default=640, help='sides of the square image, px (default: 640)')
    parser.add_argument('--objects', type=int, default=4, help='prompted objects P (default: 4)')
    parser.add_argument('--repeats', type=int, default=3, help='runs of each part (default: 3)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help='where the model runs (default: cuda if there is one, else cpu)')
    args = parser.parse_args()
    if args.objects < 1 or args.size < 64 or args.repeats < 1:
        parser.error('--objects and --repeats must be at least 1 and --size at least 64')
    model = init_model(args.config, device=args.device)
    session = InteractiveSession(model, scale=(args.size, args.size))
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (args.size, args.size, 3), dtype=np.uint8)
    prompts = [dict(points=[tuple(rng.integers(0, args.size, 2))]) for _ in range(args.objects)]
    session.set_image(image)
    session.add(**prompts[0])  # the text is encoded once

    def from_the_image() -> None:
        for prompt in prompts:
            session.set_image(image)
            session.add(**prompt)

    def first_round() -> None:
        session.set_image(image)
        session.add_many(prompts)

    objects = session.objects_of([session.read(**prompts[0])])
    with torch.no_grad():
        template = seconds(lambda: model.extract_templates(session.image.batch, objects), args.repeats, 'template')
    backbone = seconds(lambda: session.set_image(image), args.repeats, 'backbone')
    one_round = seconds(lambda: session.add(**prompts[0]), args.repeats, 'round')
    together = seconds(first_round, args.repeats, 'together')
    apart = seconds(from_the_image, args.repeats, 'apart')
    print(f'image {args.size} px, {args.objects} objects, {torch.get_num_threads()} threads, {args.device}, '
          f'median of {args.repeats}')
    print(f'image through the backbone        {backbone:8.3f} s')
    print(f'one object: template              {template:8.3f} s')
    print(f'one object: whole round           {one_round:8.3f} s')
    print(f'{args.objects} objects, one call                {together:8.3f} s')
    print(f'{args.objects} objects, {args.objects} calls from the image {apart:8.3f} s')
    print(f'ratio one call / separate calls   {together / apart:8.2f}')
    print(f'ratio later round / first round   {one_round / (backbone + one_round):8.2f}')
    print(f'without templates a round would save {100 * template / one_round:.0f} %')


if __name__ == '__main__':
    main()
