"""LVIS v1: fill, colour and shape as 240 long-tailed categories, annotated federatedly.

A category of an image is one of: positive and exhaustively annotated; positive and in
`not_exhaustive_category_ids` (some objects of it have no annotation); in `neg_category_ids`
(verified to be absent); or unknown (not listed, whether present or not).
"""
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..world.vocabulary import MINIWORLD_LVIS_CLASSES
from .files import DATE, LICENSES, annotation, coco2017_name, info, write_json

CATEGORY_IDS = {name: index for index, name in enumerate(MINIWORLD_LVIS_CLASSES, 1)}
RARE, COMMON = 10, 100  # LVIS: at most this many training images
NOT_EXHAUSTIVE_PROB = 0.15  # of a category with several objects in an image
UNKNOWN_PROB = 0.03  # of a category that is present
NEGATIVES = 12  # per image, half of them near to what is there


@dataclass(frozen=True)
class Federation:
    """Which objects of a picture are annotated, and what is known of the other categories."""
    annotations: list
    neg_category_ids: list
    not_exhaustive_category_ids: list


def federate(picture) -> Federation:
    """Decides what LVIS knows about a picture."""
    rng = picture.rng('federation')
    present = {}
    for ann_id, seen in picture.annotations:
        present.setdefault(CATEGORY_IDS[seen.obj.fine_name], []).append((ann_id, seen))
    kept, not_exhaustive = [], []
    for category, entries in present.items():
        # Drawn whether needed or not, and at least one category stays.
        unknown, incomplete = rng.random(2) < (UNKNOWN_PROB, NOT_EXHAUSTIVE_PROB)
        if unknown and len(present) > 2:
            continue
        if incomplete and len(entries) > 1:
            entries = entries[1:]
            not_exhaustive.append(category)
        kept += entries
    return Federation(sorted(kept, key=lambda entry: entry[0]), _negatives(rng, set(present)),
                      sorted(not_exhaustive))


def _negatives(rng, present: set) -> list:
    """Absent categories; half of them share two words with an object that is there."""
    words = [set(MINIWORLD_LVIS_CLASSES[category - 1].split()) for category in sorted(present)]
    absent = [category for category in CATEGORY_IDS.values() if category not in present]
    near = [
        category for category in absent
        if any(len(own & set(MINIWORLD_LVIS_CLASSES[category - 1].split())) == 2 for own in words)
    ]
    negatives = set(rng.choice(near, NEGATIVES // 2, replace=False).tolist())
    others = [category for category in absent if category not in negatives]
    negatives |= set(rng.choice(others, NEGATIVES - len(negatives), replace=False).tolist())
    return sorted(negatives)


def _categories(federations: list) -> list:
    """Category entries with frequencies counted on the training images, as in both real files."""
    objects, images = Counter(), Counter()
    for federation in federations:
        ids = [CATEGORY_IDS[seen.obj.fine_name] for _, seen in federation.annotations]
        objects.update(ids)
        images.update(set(ids))
    entries = []
    for name, category in CATEGORY_IDS.items():
        count = images[category]
        entries.append({
            'id': category,
            'name': name,
            'synset': f'{name.replace(" ", "_")}.n.01',
            'synonyms': [name],
            'def': f'a {name.split()[-1]} that is {name.split()[1]} and {name.split()[0]}',
            'frequency': 'r' if count <= RARE else 'c' if count <= COMMON else 'f',
            'image_count': count,
            'instance_count': objects[category],
        })
    return entries


def _image(split: str, picture, federation: Federation) -> dict:
    """LVIS has no file_name: readers take the path from `coco_url`."""
    url = f'http://images.cocodataset.org/{split}2017/{coco2017_name(picture)}'
    return {'id': picture.image_id, 'coco_url': url, 'flickr_url': '', 'license': 1,
            'date_captured': DATE, 'height': picture.scene.height, 'width': picture.scene.width,
            'neg_category_ids': federation.neg_category_ids,
            'not_exhaustive_category_ids': federation.not_exhaustive_category_ids}


def write_lvis(root: Path, train, val) -> None:
    """Writes lvis/lvis_v1_{train,val}.json over the images of COCO 2017.

    Args:
        root (Path): of the world.
        train, val (Sequence[Picture]): the COCO streams.
    """
    frequencies = None
    for split, pictures in (('train', train), ('val', val)):
        federations = [federate(picture) for picture in pictures]
        frequencies = frequencies or _categories(federations)
        write_json(
            root / f'lvis/lvis_v1_{split}.json', {
                'info': info('LVIS v1'),
                'licenses': LICENSES,
                'images': [_image(split, *pair) for pair in zip(pictures, federations)],
                'annotations': [
                    annotation(ann_id, picture, seen, CATEGORY_IDS[seen.obj.fine_name])
                    for picture, federation in zip(pictures, federations)
                    for ann_id, seen in federation.annotations
                ],
                'categories': frequencies,
            })
