"""Tiny COCO, LVIS, Objects365 and RefCOCO files in the real on-disk formats, for tests."""
import json
import pickle
from pathlib import Path
from typing import List, Sequence

import numpy as np
from PIL import Image


def save_image(path: Path, width: int, height: int, seed: int = 0) -> None:
    """A random RGB picture (PNG content is exact; the name may say .jpg)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, format='PNG')


def rectangle(x: float, y: float, w: float, h: float) -> List[List[float]]:
    """Polygon of a box."""
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def annotation(ann_id: int, image_id: int, category_id: int, box: Sequence[float],
               **extra) -> dict:
    """A COCO annotation whose mask is its box (xywh)."""
    return {'id': ann_id, 'image_id': image_id, 'category_id': category_id, 'bbox': list(box),
            'area': box[2] * box[3], 'iscrowd': 0, 'segmentation': rectangle(*box), **extra}


def write_json(path: Path, content: dict) -> str:
    """Write and return the path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)


def write_coco(root: Path, names: Sequence[str], boxes: Sequence[Sequence[tuple]],
               sizes: Sequence[tuple] = (), folder: str = 'train2017',
               ann_file: str = 'annotations/instances_train2017.json', first_id: int = 10) -> Path:
    """A COCO data set.

    Args:
        boxes: per image a list of (category index, (x, y, w, h)).
        sizes: per image (width, height); 64 x 48 where missing.
        first_id: category ids are ``first_id + 3 * index``, so they are not labels.
    """
    images, annotations = [], []
    for i, objects in enumerate(boxes):
        width, height = sizes[i] if i < len(sizes) else (64, 48)
        name = f'{i + 1:012d}.jpg'
        save_image(root / folder / name, width, height, seed=i)
        images.append({'id': i + 1, 'file_name': name, 'width': width, 'height': height})
        for category, box in objects:
            annotations.append(
                annotation(len(annotations) + 1, i + 1, first_id + 3 * category, box))
    categories = [{'id': first_id + 3 * i, 'name': name} for i, name in enumerate(names)]
    write_json(root / ann_file,
               {'images': images, 'annotations': annotations, 'categories': categories})
    return root


def edit_json(path: Path, change) -> None:
    """Apply ``change(content)`` in place to a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def write_refer(root: Path, refs: Sequence[dict], objects: Sequence[tuple], num_images: int = 1,
                size: tuple = (64, 48)) -> Path:
    """A REFER data set and the same referred objects as the released GLEE's JSON.

    Args:
        refs: dicts with ``ann`` (position in ``objects``), ``sentences`` and ``split``.
        objects: (image id from 1, category id, (x, y, w, h)).
    """
    images = []
    for i in range(num_images):
        name = f'COCO_train2014_{i + 1:012d}.jpg'
        save_image(root / 'train2014' / name, *size, seed=i)
        images.append({'id': i + 1, 'file_name': name, 'width': size[0], 'height': size[1]})
    annotations = [annotation(100 + i, *obj) for i, obj in enumerate(objects)]
    write_json(root / 'refcoco/instances.json',
               {'images': images, 'annotations': annotations,
                'categories': [{'id': 1, 'name': 'star'}, {'id': 2, 'name': 'ring'}]})
    splits = [{'ref_id': i, 'ann_id': 100 + ref['ann'], 'split': ref['split'],
               'image_id': objects[ref['ann']][0], 'category_id': objects[ref['ann']][1],
               'file_name': images[objects[ref['ann']][0] - 1]['file_name'],
               'sentences': [{'sent_id': 10 * i + j, 'raw': s, 'sent': s.lower()}
                             for j, s in enumerate(ref['sentences'])]}
              for i, ref in enumerate(refs)]
    with open(root / 'refcoco/refs(unc).p', 'wb') as file:
        pickle.dump(splits, file)
    for split in {ref['split'] for ref in refs}:
        chosen = [ref for ref in refs if ref['split'] == split]
        entries = [{**images[objects[ref['ann']][0] - 1], 'id': 1000 + i,
                    'expressions': ref['sentences']} for i, ref in enumerate(chosen)]
        boxes = [annotation(i + 1, 1000 + i, 1, objects[ref['ann']][2])
                 for i, ref in enumerate(chosen)]
        write_json(root / f'annotations/refcoco-unc/instances_{split}.json',
                   {'images': entries, 'annotations': boxes,
                    'categories': [{'id': 1, 'name': 'object'}]})
    return root
