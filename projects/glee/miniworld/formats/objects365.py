"""Objects365 v2: boxes without masks; size, colour and shape as 240 categories."""
from pathlib import Path

from ..world.vocabulary import MINIWORLD_OBJECTS365_CLASSES
from .files import LICENSES, annotation, image_entry, info, write_bytes, write_json

CATEGORY_IDS = {name: index for index, name in enumerate(MINIWORLD_OBJECTS365_CLASSES, 1)}
PATCH = 1000  # images per folder


def _patch_name(picture) -> str:
    return f'patch{picture.index // PATCH}/objects365_v1_{picture.image_id:08d}.jpg'


def write_objects365_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes Objects365V2/{split}/patch{k}/..., where mmdet's `Objects365V2Dataset` looks."""
    write_bytes(root / f'Objects365V2/{split}' / _patch_name(picture), data)


def write_objects365(root: Path, split: str, pictures) -> None:
    """Writes Objects365V2/annotations/zhiyuan_objv2_{split}_new.json.

    As in the real file, a `file_name` has a folder before 'patch{k}/' that the readers replace.
    """
    write_json(
        root / f'Objects365V2/annotations/zhiyuan_objv2_{split}_new.json', {
            'info': info('Objects365'),
            'licenses': LICENSES,
            'images': [
                image_entry(picture, f'images/v1/{_patch_name(picture)}') for picture in pictures
            ],
            'annotations': [
                dict(
                    annotation(ann_id, picture, seen, CATEGORY_IDS[seen.obj.sized_name], False),
                    iscrowd=0,
                    isfake=0,
                    isreflected=0) for picture in pictures
                for ann_id, seen in picture.annotations
            ],
            'categories': [{'id': index, 'name': name} for name, index in CATEGORY_IDS.items()],
        })
