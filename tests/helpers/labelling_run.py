"""``label_pictures`` with a quick stand-in for the network, as a program that can be killed.

    python tests/helpers/labelling_run.py PICTURES OUT.json [--pause 0.01] [--ray local --workers 2 --pids FOLDER]
"""
import os
import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

import numpy as np

from projects.glee.apis import ImageResult
from projects.glee.apis.labelling import label_pictures
from projects.glee.datasets.store.pictures import list_pictures, read_picture
from projects.glee.structures.masks import encode


class BrightestHalf:
    """Finds in each picture what is brighter than its mean, and what is not; a picture of no bytes cannot be read.

    Args:
        pause (float): seconds that a picture takes.
        pids (str | None): folder in which each process that has one leaves its number.
    """

    def __init__(self, pause: float = 0., pids: str | None = None) -> None:
        self.pause, self.errors = pause, {}
        if pids is not None:
            Path(pids, str(os.getpid())).touch()

    def __call__(self, paths, names, score_thr, batch_size, stream):
        self.errors = {}
        for path in paths:
            time.sleep(self.pause)
            try:
                grey = read_picture(path).mean(-1)
            except ValueError as error:
                self.errors[path] = str(error)
                continue
            masks = [grey > grey.mean(), grey <= grey.mean()]
            scores = np.array([grey.mean() / 255, 1 - grey.mean() / 255], np.float32)
            boxes = np.array([[0, 0, *grey.shape[::-1]]] * 2, np.float32)
            yield ImageResult(path, grey.shape, list(names), boxes, scores, list(map(encode, masks)))


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument('pictures', type=Path)
    parser.add_argument('out')
    parser.add_argument('--pause', type=float, default=0.)
    parser.add_argument('--ray')
    parser.add_argument('--workers', type=int)
    parser.add_argument('--pids')
    args = parser.parse_args()
    errors = label_pictures(partial(BrightestHalf, args.pause, args.pids), list_pictures(args.pictures, recursive=True),
                            args.pictures, dict(bright=0.2, dark=0.1), args.out, {}, ray=args.ray, workers=args.workers)
    print(len(errors), 'cannot be read')


if __name__ == '__main__':
    main()
