"""A contact sheet to see at a glance whether shapes, fills and colours can be told apart."""
import cv2
import numpy as np

from .world.pictures import take_pictures
from .world.render import render
from .world.scene import Background, Scene, SceneObject
from .world.vocabulary import COLOURS, FILLS, SHAPES

_CELL = 256


def contact_sheet(seed: int, rows: int = 3, columns: int = 5) -> np.ndarray:
    """The catalogue of all words above the first training pictures.

    Args:
        seed (int): seed of the world.
        rows, columns (int): pictures shown.

    Returns:
        np.ndarray: uint8 RGB (height, width, 3).
    """
    catalogue = _catalogue()
    cells = [_cell(picture) for picture in take_pictures('coco_train', seed, rows * columns)]
    sheet = np.concatenate([
        np.concatenate(cells[row * columns:(row + 1) * columns], 1) for row in range(rows)
    ])
    width = max(catalogue.shape[1], sheet.shape[1])
    return np.concatenate([_pad(catalogue, width), _pad(sheet, width)])


def _catalogue() -> np.ndarray:
    """A row per shape, with every colour at four sizes; fills and angles take turns."""
    sizes = (('small', 18), ('small', 24), ('medium', 40), ('large', 66))
    steps = (14, 36, 70, 126)
    objects = []
    for row, shape in enumerate(SHAPES):
        for column, colour in enumerate(COLOURS):
            for turn, (name, size) in enumerate(sizes):
                fill = FILLS[(row + column + turn) % len(FILLS)]
                objects.append(
                    SceneObject(shape, colour, fill, name, size, 166 * column + steps[turn],
                                72 * row + 38, 37. * (row + column + turn)))
    grey = Background('clouds', (120, 120, 120), 14, 30, 0, 0)
    return render(Scene(166 * len(COLOURS), 72 * len(SHAPES) + 4, grey, tuple(objects)))


def _cell(picture) -> np.ndarray:
    """One picture with its boxes and names, padded to a square."""
    image = render(picture.scene).copy()
    for seen in picture.objects:
        x, y, width, height = seen.bbox
        cv2.rectangle(image, (x, y), (x + width, y + height), (0, 0, 0), 1)
        cv2.putText(image, seen.obj.shape, (x, max(y - 2, 8)), cv2.FONT_HERSHEY_SIMPLEX, 0.32,
                    (255, 255, 255), 1, cv2.LINE_AA)
    cell = np.full((_CELL, _CELL, 3), 30, np.uint8)
    cell[:image.shape[0], :image.shape[1]] = image
    return cell


def _pad(image: np.ndarray, width: int) -> np.ndarray:
    return np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0)))
