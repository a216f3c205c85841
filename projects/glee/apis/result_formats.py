"""Results in the formats of other tools: labelme, YOLO's text files, COCO data sets."""
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Mapping, Optional, Protocol, Sequence, Union

import cv2
import numpy as np
import yaml

from ..engine.checkpoints.durable_files import replacing
from ..structures.masks import Rle, area, decode

if TYPE_CHECKING:
    from .image_result import ImageResult

LABELME_VERSION = '5.5.0'


def outlines(rle: Optional[Rle]) -> list[np.ndarray]:
    """The outline of each part of a mask, (n, 2) px (x, y) of its border pixels, n >= 3, the largest part first.

    Drawn and filled with its border by the even-odd rule, as labelme and YOLO's trainers do, each gives its part, holes
    included: the outline goes to a hole, around it, and back by a line of no width between the nearest two corners.
    """
    if rle is None:
        return []
    found, tree = cv2.findContours(decode(rle).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings = [ring[:, 0] for ring in found]
    outer = sorted((n for n in range(len(rings)) if tree[0, n, 3] < 0), key=lambda n: -cv2.contourArea(found[n]))
    parts = [_with_holes(rings[n], [ring for ring, (*_, owner) in zip(rings, tree[0]) if owner == n]) for n in outer]
    return [np.concatenate([part, part[-1:].repeat(max(0, 3 - len(part)), 0)]) for part in parts]


def _with_holes(outline: np.ndarray, holes: Sequence[np.ndarray]) -> np.ndarray:
    """An outline and those of its holes, (n, 2) each, as one."""
    for hole in holes:
        distances = np.square(outline[:, None] - hole[None]).sum(2)
        leave, enter = np.unravel_index(distances.argmin(), distances.shape)
        ring = np.roll(hole, -enter, 0)
        outline = np.concatenate([outline[:leave + 1], ring, ring[:1], outline[leave:]])
    return outline


def labelme_dict(result: 'ImageResult', picture: Optional[str] = None) -> dict:
    """Content of a labelme file: a polygon per part of an object, holes included (``outlines``), parts of one object
    with one ``group_id``.

    Args:
        result: its objects; one without a mask or pixels becomes a rectangle.
        picture: the picture as seen from the file; by default the result's own path.
    """
    shapes = []
    for number, (name, score, box, rle) in enumerate(zip(result.names, result.scores, result.boxes, result.each_rle())):
        parts = [part.tolist() for part in outlines(rle)]
        for points in parts or [np.reshape(box, (2, 2)).tolist()]:
            shapes.append(dict(label=name, points=points, group_id=number if len(parts) > 1 else None,
                               description=f'score {score:.4f}', shape_type='polygon' if parts else 'rectangle',
                               flags={}, mask=None))
    return dict(version=LABELME_VERSION, flags={}, shapes=shapes, imagePath=picture or result.path, imageData=None,
                imageHeight=result.shape[0], imageWidth=result.shape[1])


def yolo_lines(result: 'ImageResult', class_ids: Mapping[str, int], with_masks: bool = True) -> list[str]:
    """Lines of a YOLO label file: a class id and an outline, or a class id and a box, in shares of the picture.

    The parts of an object are one outline, joined there and back by a line of no width. A box is its centre, width and
    height. An object without pixels has no outline and is left out; so is one whose name has no class id.
    """
    size = np.array(result.shape[::-1], float)
    lines = []
    for name, box, rle in zip(result.names, result.boxes, result.each_rle()):
        if name not in class_ids:
            continue
        if with_masks:
            parts = outlines(rle)
            if not parts:
                continue
            first = parts[0][:1]
            joined = [parts[0], *(np.concatenate([first, part, part[:1]]) for part in parts[1:]),
                      *([first] if len(parts) > 1 else [])]
            values = (np.concatenate(joined) + 0.5) / size  # centres of pixels
        else:
            x1, y1, x2, y2 = box
            values = np.array([((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)]) / size
        lines.append(' '.join([str(class_ids[name]), *(f'{value:.6f}' for value in values.clip(0, 1).ravel())]))
    return lines


class ResultWriter(Protocol):
    """Takes results of pictures that are files, one after the other."""

    def write(self, result: 'ImageResult') -> None:
        """The next picture."""

    def close(self) -> None:
        """No more pictures."""


class LabelmeFolder:
    """A labelme file per picture, ``<picture>.json``, that finds its picture where it lies."""

    def __init__(self, folder: Union[str, Path]) -> None:
        self._folder, self._names = Path(folder), FreeNames()
        self._folder.mkdir(parents=True, exist_ok=True)

    def write(self, result: 'ImageResult') -> None:
        """See ``ResultWriter``."""
        picture = os.path.relpath(result.path, self._folder)
        target = self._folder / f'{self._names.of(result.path)}.json'
        target.write_text(json.dumps(labelme_dict(result, picture), ensure_ascii=False), encoding='utf-8',
                          errors='backslashreplace')

    def close(self) -> None:
        """See ``ResultWriter``."""


class YoloFolder:
    """``labels/<picture>.txt`` of each picture, also of one without objects, and ``data.yaml`` with the names.

    Args:
        folder: where they go.
        names: in the order of their ids; others that come are added behind them.
        with_masks: outlines, for segmentation; without them boxes, for detection.
    """

    def __init__(self, folder: Union[str, Path], names: Sequence[str] = (), with_masks: bool = True) -> None:
        self._folder, self._with_masks, self._names = Path(folder), with_masks, FreeNames()
        self._ids = {name: number for number, name in enumerate(dict.fromkeys(names))}
        (self._folder / 'labels').mkdir(parents=True, exist_ok=True)

    def write(self, result: 'ImageResult') -> None:
        """See ``ResultWriter``."""
        for name in result.names:
            self._ids.setdefault(name, len(self._ids))
        lines = yolo_lines(result, self._ids, self._with_masks)
        (self._folder / 'labels' / f'{self._names.of(result.path)}.txt').write_text(''.join(f'{x}\n' for x in lines))

    def close(self) -> None:
        """See ``ResultWriter``."""
        content = dict(path='.', train='images', val='images', names=dict(enumerate(self._ids)))
        (self._folder / 'data.yaml').write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False),
                                                encoding='utf-8')


class CocoFile:
    """A COCO data set of all pictures: boxes, run-length masks and scores.

    Args:
        path: file to write, when it is closed.
        names: in the order of their category ids, from 1; others that come are added behind them.
    """

    def __init__(self, path: Union[str, Path], names: Sequence[str] = ()) -> None:
        self._path = Path(path)
        self._ids = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
        self._images: list[dict] = []
        self._annotations: list[dict] = []

    def write(self, result: 'ImageResult') -> None:
        """See ``ResultWriter``."""
        for name in result.names:
            self._ids.setdefault(name, len(self._ids) + 1)
        image_id = len(self._images) + 1
        self._images.append(dict(id=image_id, file_name=result.path, height=result.shape[0], width=result.shape[1]))
        for found in result.to_coco(image_id, self._ids):
            size = area(found['segmentation']) if 'segmentation' in found else found['bbox'][2] * found['bbox'][3]
            self._annotations.append(dict(found, id=len(self._annotations) + 1, iscrowd=0, area=size))

    def close(self) -> None:
        """See ``ResultWriter``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = dict(images=self._images, annotations=self._annotations,
                       categories=[dict(id=number, name=name) for name, number in self._ids.items()])
        with replacing(self._path) as file:
            file.write(json.dumps(content, ensure_ascii=False).encode(errors='backslashreplace'))


class FreeNames:
    """A name of its own for every picture, also where two folders hold equal ones: a, a_2, a_3."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, picture: Union[str, Path]) -> str:
        """Without folder and suffix."""
        stem, number = Path(picture).stem, 1
        while (name := stem if number == 1 else f'{stem}_{number}') in self._taken:
            number += 1
        self._taken.add(name)
        return name
