"""SA-1B: masks of everything, parts included, one JSON per image, and the index without the parts."""
from pathlib import Path

import numpy as np

from ...datasets.conversion.sa1b import convert_sa1b
from ..world.scene import visible_masks
from .files import mask_to_rle, write_bytes, write_json

PART_PROB = 0.5  # of an object to have its halves segmented too
INDICES = ('sa1b_500k', 'sa1b_1m', 'sa1b_2m')


def _name(picture) -> str:
    return f'sa_{picture.image_id}'


def write_sa1b_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes SA1B_scaleup/images/sa_{id}.jpg and SA1B_scaleup/original/sa_{id}.json."""
    write_bytes(root / f'SA1B_scaleup/images/{_name(picture)}.jpg', data)
    scene = picture.scene
    image = {'image_id': picture.image_id, 'width': scene.width, 'height': scene.height,
             'file_name': f'{_name(picture)}.jpg'}
    annotations = [_annotation(index, picture, mask) for index, mask in enumerate(_masks(picture), 1)]
    write_json(root / f'SA1B_scaleup/original/{_name(picture)}.json', {'image': image, 'annotations': annotations})


def write_sa1b(root: Path, split: str, pictures) -> None:
    """Writes SA1B_scaleup/sa1b_{500k,1m,2m}.json and the thinned JSON files beside the images.

    The files hold a quarter, a half and all of the images.
    """
    for name, count in zip(INDICES, (-(-len(pictures) // 4), -(-len(pictures) // 2), len(pictures))):
        convert_sa1b(root / 'SA1B_scaleup/original', root / 'SA1B_scaleup/images', root / f'SA1B_scaleup/{name}.json',
                     max_images=count)


def _masks(picture):
    """Visible masks of the objects and the left and right halves of some."""
    rng = picture.rng('names')
    for mask in visible_masks(picture.scene.objects, picture.scene.height, picture.scene.width):
        yield mask
        if rng.random() < PART_PROB:
            columns = np.flatnonzero(mask.any(0))
            middle = int(columns[0] + columns[-1] + 1) // 2
            yield from (half for half in _halves(mask, middle) if half.any())


def _halves(mask: np.ndarray, middle: int) -> tuple:
    left = mask.copy()
    left[:, middle:] = False
    return left, mask & ~left


def _annotation(index: int, picture, mask: np.ndarray) -> dict:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = [int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)]
    y, x = np.argwhere(mask)[mask.sum() // 2]
    return {'id': picture.image_id * 1000 + index, 'segmentation': mask_to_rle(mask), 'bbox': box,
            'area': int(mask.sum()), 'predicted_iou': 0.95, 'stability_score': 0.97,
            'point_coords': [[int(x), int(y)]], 'crop_box': [0, 0, picture.scene.width, picture.scene.height]}
