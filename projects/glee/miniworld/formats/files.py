"""What the COCO-like formats share: file names, image entries, annotations, JSON."""
import json
from pathlib import Path

LICENSES = [{'id': 1, 'name': 'Apache-2.0', 'url': 'https://www.apache.org/licenses/LICENSE-2.0'}]
DATE = '2024-01-01 00:00:00'  # a constant, so that the same seed writes the same bytes


def info(description: str) -> dict:
    return {'description': f'MiniWorld, {description}', 'version': '1', 'year': 2024,
            'contributor': 'make_miniworld.py', 'url': '', 'date_created': DATE[:10]}


def coco2017_name(picture) -> str:
    """'000000000042.jpg'."""
    return f'{picture.image_id:012d}.jpg'


def coco2014_name(picture) -> str:
    """'COCO_train2014_000000000042.jpg': all splits of RefCOCO/+/g lie in train2014."""
    return f'COCO_train2014_{picture.image_id:012d}.jpg'


def image_entry(picture, file_name: str) -> dict:
    return {'id': picture.image_id, 'file_name': file_name, 'height': picture.scene.height,
            'width': picture.scene.width, 'license': 1, 'date_captured': DATE, 'coco_url': '',
            'flickr_url': ''}


def annotation(ann_id: int, picture, seen, category_id: int, masks: bool = True) -> dict:
    """One object. Box x, y, width, height and polygons in px; area in visible pixels."""
    entry = {'id': ann_id, 'image_id': picture.image_id, 'category_id': category_id,
             'bbox': [float(value) for value in seen.bbox]}
    if masks:
        entry['segmentation'] = seen.segmentation
        entry['area'] = float(seen.area)
    else:
        entry['area'] = float(seen.bbox[2] * seen.bbox[3])
    return entry


def numbered(categories: list, entries: list, owner: str = 'image') -> dict:
    """The content of a file whose images (or videos) and annotations are numbered from 1, as conversions do it.

    Args:
        categories (list[dict]): of the file.
        entries (list[tuple]): per image or video its entry, and the annotations that belong to it.
        owner (str): 'image' or 'video'.
    """
    owners, annotations = [], []
    for index, (entry, own) in enumerate(entries, 1):
        owners.append(dict(entry, id=index))
        for annotation in own:
            annotations.append({'id': len(annotations) + 1, f'{owner}_id': index, **annotation})
    return {'categories': categories, f'{owner}s': owners, 'annotations': annotations}


def write_json(path: Path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(',', ':')))


def write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
