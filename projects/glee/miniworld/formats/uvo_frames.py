"""UVO frames: every object has a mask (RLE) and the one category 'object'."""
from pathlib import Path

from ..world.pictures import encode_scene
from ..world.scene import visible_masks
from .files import LICENSES, annotation, image_entry, info, write_bytes, write_json
from .masks import mask_to_rle

CATEGORIES = [{'id': 1, 'name': 'object', 'supercategory': 'object'}]


def _image_name(picture) -> str:
    return f'v{picture.image_id:08d}/{picture.index % 300}.png'


def write_uvo_frame(root: Path, split: str, picture, data: bytes) -> None:
    """Writes UVO/uvo_videos_sparse_frames/{video}/{frame}.png."""
    write_bytes(root / 'UVO/uvo_videos_sparse_frames' / _image_name(picture), encode_scene(picture.scene, '.png'))


def write_uvo_frames(root: Path, split: str, pictures) -> None:
    """Writes UVO/annotations/FrameSet/UVO_frame_{split}_onecate.json."""
    annotations = []
    for picture in pictures:
        masks = visible_masks(picture.scene.objects, picture.scene.height, picture.scene.width)
        for (ann_id, seen), mask in zip(picture.annotations, masks):
            annotations.append(dict(annotation(ann_id, picture, seen, 1), segmentation=mask_to_rle(mask), iscrowd=0))
    write_json(root / f'UVO/annotations/FrameSet/UVO_frame_{split}_onecate.json', {
        'info': info('UVO frames'), 'licenses': LICENSES, 'annotations': annotations, 'categories': CATEGORIES,
        'images': [image_entry(picture, _image_name(picture)) for picture in pictures]})
