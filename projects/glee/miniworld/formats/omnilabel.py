"""OmniLabel: category names and free descriptions of no, one or several objects, asked for in some images each."""
from pathlib import Path

from ..world.referring import refer
from ..world.relations import Candidates
from ..world.vocabulary import COLOURS, FILLS, SHAPES, SIZES
from .files import LICENSES, image_entry, info, write_bytes, write_json

FOLDERS = ('coco', 'object365', 'openimagesv5')  # whose images the real one has
ABSENT_NAMES, ABSENT_DESCRIPTIONS, GROUPS, LONE = 3, 2, 2, 3  # the most per image


def _image_name(picture) -> str:
    return f'{FOLDERS[picture.index % len(FOLDERS)]}/{picture.image_id:012d}.jpg'


def write_omnilabel_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes omnilabel/images/{source}/{id}.jpg."""
    write_bytes(root / 'omnilabel/images' / _image_name(picture), data)


def write_omnilabel(root: Path, split: str, pictures) -> None:
    """Writes omnilabel/dataset_all_val_v0.1.3.json."""
    rows, annotations = {}, []
    for picture in pictures:
        meant = {}
        for kind, text, indices in asked_for(picture):
            row = rows.setdefault((kind, text), dict(id=len(rows) + 1, text=text, image_ids=[],
                                                     anno_info=_origin(kind, text)))
            row['image_ids'].append(picture.image_id)
            for index in indices:
                meant.setdefault(index, []).append(row['id'])
        for index, (ann_id, seen) in enumerate(picture.annotations):
            annotations.append(dict(id=ann_id, image_id=picture.image_id, bbox=[float(side) for side in seen.bbox],
                                    iscrowd=0, description_ids=meant[index]))
    write_json(root / 'omnilabel/dataset_all_val_v0.1.3.json', {
        'info': info('OmniLabel'), 'licenses': LICENSES, 'descriptions': list(rows.values()),
        'annotations': annotations, 'images': [image_entry(picture, _image_name(picture)) for picture in pictures]})


def asked_for(picture) -> list:
    """What is asked for in an image: (kind, text, indices of the objects that it means), each text once.

    Names of shapes in it and of some that are not; adjectives and noun of several objects, and of none; sentences that
    mean one object.
    """
    rng, candidates = picture.rng('descriptions'), Candidates(picture.objects)
    shapes = [seen.obj.shape for seen in picture.objects]
    names = [shape for shape in SHAPES if shape in shapes]
    absent = [shape for shape in SHAPES if shape not in shapes]
    names += sorted(str(name) for name in rng.permutation(absent)[:ABSENT_NAMES])
    asked = [('object_category', name, [index for index, shape in enumerate(shapes) if shape == name])
             for name in names]
    groups = [(noun, indices) for noun, indices in candidates.fits.items() if len(indices) > 1 and any(noun[:3])]
    chosen = sorted(int(index) for index in rng.permutation(len(groups))[:GROUPS])
    asked += [('object_description', _noun(groups[index][0]), groups[index][1]) for index in chosen]
    asked += [('object_description', _noun(noun), []) for noun in _absent(rng, candidates)]
    asked += [('object_description', referral.sentences[0], [referral.target])
              for referral in refer(picture, 'refcocog', 'mixed', LONE)]
    return list({text: (kind, text, indices) for kind, text, indices in asked}.values())


def _absent(rng, candidates: Candidates) -> list:
    """Descriptions that fit no object, though one of the image has their shape and colour or fill."""
    found = []
    for obj in candidates.objects:
        noun = (str(rng.choice(list(SIZES))), str(rng.choice(FILLS)), str(rng.choice(list(COLOURS))), obj.shape)
        dropped = int(rng.integers(3))
        noun = tuple(None if place == dropped else word for place, word in enumerate(noun))
        if noun not in candidates.fits and noun not in found:
            found.append(noun)
    return found[:ABSENT_DESCRIPTIONS]


def _noun(noun: tuple) -> str:
    return ' '.join(word for word in noun if word is not None)


def _origin(kind: str, text: str) -> dict:
    if kind == 'object_category':
        return dict(type=kind, dataset='coco', orig_id=SHAPES.index(text) + 1)
    return dict(type=kind, llm_generated=False)
