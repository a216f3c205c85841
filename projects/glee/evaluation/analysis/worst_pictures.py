"""The pictures in which most went wrong: the truth beside what was found."""
from pathlib import Path
from typing import Iterator, Optional

import numpy as np

from ...datasets.store.pictures import read_picture
from ...visualization.renderer import DrawnObject, Renderer
from .detections import Detections, PictureDetections
from .errors import kinds_of_errors

RIGHT = (46, 158, 107)
COLOURS = dict(
    classification=(138, 92, 209), localisation=(224, 123, 42), both=(184, 150, 46), duplicate=(42, 163, 184),
    background=(194, 73, 127), missed=(214, 40, 40))


def worst_pictures(detections: Detections, score_thr: float, most: int) -> list[tuple[PictureDetections, int]]:
    """Pictures with the number of their errors, the most first; those without any are left out.

    Errors are the wrong detections above the score and the objects that no detection above it finds.
    """
    counted = []
    for picture in detections.pictures:
        sure = picture.scores >= score_thr
        wrong = int((sure & (picture.match < 0) & ~picture.ignored).sum())
        seen = set(picture.match[sure].tolist()) - {-1}
        counted.append((picture, wrong + len(picture.truth_labels) - len(seen)))
    return sorted((entry for entry in counted if entry[1]), key=lambda entry: -entry[1])[:most]


def picture_name(image: dict) -> str:
    """The name of an image row below the folder of pictures, which LVIS gives as the end of ``coco_url``."""
    return str(image.get('file_name') or '/'.join(str(image['coco_url']).rsplit('/', 2)[-2:]))


def draw_pair(picture: PictureDetections, names: list[str], folder: Optional[Path], score_thr: float) -> np.ndarray:
    """The picture twice, RGB (H, 2 W + gap, 3): the objects, missed ones red, and the detections by kind of error.

    Raises:
        ValueError, FileNotFoundError: the picture cannot be read.
    """
    image = read_picture(Path(folder or '', picture_name(picture.image)))
    render = Renderer(min_side=320)
    left = render(image, list(_objects(picture, names, score_thr)))
    right = render(image, list(_detections(picture, names, score_thr)))
    return np.concatenate([left, np.full((len(left), 12, 3), 255, np.uint8), right], 1)


def _objects(picture: PictureDetections, names: list[str], score_thr: float) -> Iterator[DrawnObject]:
    seen = set(picture.match[picture.scores >= score_thr].tolist())
    for number, (label, box) in enumerate(zip(picture.truth_labels, picture.truth_boxes)):
        colour = RIGHT if number in seen else COLOURS['missed']
        yield DrawnObject(box=_corners(box), label=names[label], colour=colour)


def _detections(picture: PictureDetections, names: list[str], score_thr: float) -> Iterator[DrawnObject]:
    kinds, _, _ = kinds_of_errors(picture)
    for kind, label, box, score in zip(kinds, picture.found_labels, picture.found_boxes, picture.scores):
        if score >= score_thr:
            yield DrawnObject(box=_corners(box), label=f'{names[label]} {score:.2f}', colour=COLOURS.get(kind, RIGHT))


def _corners(box: np.ndarray) -> tuple[float, ...]:
    x, y, width, height = box
    return x, y, x + width, y + height
