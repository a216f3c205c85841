"""COCO instances: shapes as categories, all objects, polygons of the visible region."""
from pathlib import Path

from ..world.vocabulary import MINIWORLD_COCO_CLASSES
from .files import LICENSES, annotation, coco2017_name, image_entry, info, write_bytes, write_json

# With gaps, like the ids of the real COCO.
CATEGORY_IDS = dict(zip(MINIWORLD_COCO_CLASSES, (1, 2, 3, 5, 6, 8, 9, 11, 13, 14)))


def categories() -> list:
    return [{'id': CATEGORY_IDS[name], 'name': name, 'supercategory': 'shape'}
            for name in MINIWORLD_COCO_CLASSES]


def instances(pictures, name=coco2017_name) -> dict:
    """The content of an instances file.

    Args:
        pictures (Sequence[Picture]): of one or several streams with distinct ids.
        name (Callable): picture -> file name.
    """
    return {
        'info': info('instances'),
        'licenses': LICENSES,
        'images': [image_entry(picture, name(picture)) for picture in pictures],
        'annotations': [
            dict(annotation(ann_id, picture, seen, CATEGORY_IDS[seen.obj.shape]), iscrowd=0)
            for picture in pictures for ann_id, seen in picture.annotations
        ],
        'categories': categories(),
    }


def write_coco_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes coco/{split}2017/{id}.jpg."""
    write_bytes(root / f'coco/{split}2017' / coco2017_name(picture), data)


def write_coco(root: Path, split: str, pictures) -> None:
    """Writes coco/annotations/instances_{split}2017.json."""
    write_json(root / f'coco/annotations/instances_{split}2017.json', instances(pictures))


def write_coco_test_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes coco/test2017/{id}.jpg."""
    write_coco_image(root, 'test', picture, data)


def write_coco_test(root: Path, split: str, pictures) -> None:
    """Writes coco/annotations/image_info_test-dev2017.json, which has no annotations."""
    content = {key: value for key, value in instances(pictures).items() if key != 'annotations'}
    write_json(root / 'coco/annotations/image_info_test-dev2017.json', content)
