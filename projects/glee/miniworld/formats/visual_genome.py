"""Visual Genome: boxes with a free name (objects) or a sentence (regions) each, no categories."""
from collections import Counter
from pathlib import Path

from ..world.referring import refer
from .files import LICENSES, annotation, image_entry, info, write_bytes, write_json

CATEGORIES = [{'id': 0, 'name': 'object'}]


def _image_name(picture) -> str:
    return f'{picture.image_id}.jpg'


def write_visual_genome_image(root: Path, split: str, picture, data: bytes) -> None:
    """Writes visual_genome/images/{id}.jpg."""
    write_bytes(root / 'visual_genome/images' / _image_name(picture), data)


def write_visual_genome(root: Path, split: str, pictures) -> None:
    """Writes visual_genome/annotations/train_from_objects.json, train.json (regions) and names.txt."""
    folder = root / 'visual_genome/annotations'
    write_json(folder / 'train_from_objects.json', _content(pictures, 'object_name', _names))
    write_json(folder / 'train.json', _content(pictures, 'caption', _captions))
    counts = Counter(text for picture in pictures for describe in (_names, _captions) for _, text in describe(picture))
    names = sorted(counts, key=lambda name: (-counts[name], name))
    write_bytes(folder / 'names.txt', ''.join(f'{name}\n' for name in names).encode())


def _content(pictures, key: str, describe) -> dict:
    annotations = []
    for picture in pictures:
        for index, text in describe(picture):
            entry = annotation(len(annotations) + 1, picture, picture.objects[index], 0, masks=False)
            annotations.append(dict(entry, iscrowd=0, **{key: text}))
    return {'info': info('Visual Genome'), 'licenses': LICENSES, 'annotations': annotations, 'categories': CATEGORIES,
            'images': [image_entry(picture, _image_name(picture)) for picture in pictures]}


def _names(picture) -> list:
    """Every object by a name of one to three words, as people happen to say it."""
    rng = picture.rng('names')
    return [(index, free_name(rng, seen.obj)) for index, seen in enumerate(picture.objects)]


def _captions(picture) -> list:
    """Sentences about some objects; the others are described alone."""
    sentences = [(referral.target, sentence) for referral in refer(picture, 'refcocog', 'mixed')
                 for sentence in referral.sentences]
    told = {target for target, _ in sentences}
    plain = [(index, f'a {name}') for index, name in _names(picture) if index not in told]
    return sorted(sentences + plain)


def free_name(rng, obj) -> str:
    """'star', 'red star', 'large star' or 'striped red star'."""
    words = ((), (obj.colour, ), (obj.size_name, ), (obj.fill, obj.colour))[int(rng.integers(4))]
    return ' '.join(words + (obj.shape, ))
