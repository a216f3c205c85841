"""SA-1B: masks of everything, parts included, one JSON per image, and the index without the parts."""
from pathlib import Path

import numpy as np

from ..world.scene import visible_masks
from .files import numbered, write_bytes, write_json
from .masks import mask_to_rle

PART_PROB = 0.5  # of an object to have its halves segmented too
INDICES = ('sa1b_500k', 'sa1b_1m', 'sa1b_2m')


def _name(picture) -> str:
    return f'sa_{picture.image_id}'


def write_sa1b_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes SA1B_scaleup/images/sa_{id}.jpg, SA1B_scaleup/original/sa_{id}.json and, beside the picture, the JSON
    of whole objects only."""
    folder, name = root / 'SA1B_scaleup', _name(picture)
    write_bytes(folder / f'images/{name}.jpg', data)
    scene = picture.scene
    image = {'image_id': picture.image_id, 'width': scene.width, 'height': scene.height, 'file_name': f'{name}.jpg'}
    masks = list(_masks(picture))
    annotations = [_annotation(index, picture, mask) for index, (mask, _) in enumerate(masks, 1)]
    write_json(folder / f'original/{name}.json', {'image': image, 'annotations': annotations})
    write_json(folder / f'images/{name}.json', {
        'image': image, 'annotations': [entry for entry, (_, whole) in zip(annotations, masks) if whole]})


def write_sa1b(root: Path, split: str, pictures) -> None:
    """Writes SA1B_scaleup/sa1b_{500k,1m,2m}.json: whole objects of a quarter, a half and all of the images."""
    for name, count in zip(INDICES, (-(-len(pictures) // 4), -(-len(pictures) // 2), len(pictures))):
        write_json(root / f'SA1B_scaleup/{name}.json',
                   numbered([{'id': 1, 'name': 'object'}], [_entry(picture) for picture in pictures[:count]]))


def _entry(picture) -> tuple:
    """A picture and its whole objects, without masks."""
    return {'file_name': f'{_name(picture)}.jpg', 'width': picture.scene.width, 'height': picture.scene.height}, [
        {'category_id': 1, 'bbox': list(seen.bbox), 'area': seen.area, 'iscrowd': 0} for seen in picture.objects]


def _masks(picture):
    """(mask, whether it is a whole object): visible masks of the objects, and the halves of some."""
    rng = picture.rng('names')
    for mask in visible_masks(picture.scene.objects, picture.scene.height, picture.scene.width):
        yield mask, True
        if rng.random() < PART_PROB:
            columns = np.flatnonzero(mask.any(0))
            middle = int(columns[0] + columns[-1] + 1) // 2
            yield from ((half, False) for half in _halves(mask, middle) if half.any())


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
