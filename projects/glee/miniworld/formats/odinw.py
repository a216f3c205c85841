"""Object detection in the wild: small sets in other looks, sizes and words than the rest of the world has."""
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

import cv2
import numpy as np

from ..world.pictures import encode_image
from ..world.render import render
from ..world.scene import SceneSampler
from ..world.vocabulary import SHAPES
from .files import LICENSES, image_entry, info, write_bytes, write_json

ANNOTATIONS = 'annotations_without_background.json'
LEAST_VAL = 2  # one picture of valid, one of test


@dataclass(frozen=True)
class WildSet:
    """One set.

    Args:
        names (dict[str, str]): word of an object -> its category here; objects of other words are background.
        word (str): which word of an object it is, 'shape' or 'fill'.
        look (Callable): (RGB uint8 (H, W, 3), random numbers) -> the same; None leaves the picture alone.
        shrink (int): the scene is drawn that many times larger than the picture is.
    """
    names: dict
    word: str = 'shape'
    look: Callable = None
    shrink: int = 1

    @property
    def sampler(self) -> SceneSampler:
        """Of its scenes; smaller objects are more."""
        if self.shrink == 1:
            return SceneSampler()
        return SceneSampler(short_sides=(160 * self.shrink, ), max_side=240 * self.shrink, counts={8: 0.5, 12: 0.5})


def _thermal(image: np.ndarray, rng) -> np.ndarray:
    """A negative without colours."""
    return np.repeat(255 - cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)


def _night(image: np.ndarray, rng) -> np.ndarray:
    """Dark, bluish and noisy."""
    dark = image * np.array((0.2, 0.22, 0.3), np.float32) + rng.normal(0, 5, image.shape).astype(np.float32)
    return np.clip(np.round(dark), 0, 255).astype(np.uint8)


WILD_SETS = {
    'Thermal': WildSet(dict(zip(SHAPES, SHAPES)), look=_thermal),
    'Night': WildSet(dict(zip(SHAPES, SHAPES)), look=_night),
    'Aerial': WildSet(dict(zip(SHAPES, SHAPES)), shrink=2),
    'Insects': WildSet(dict(striped='bee', dotted='ladybird', solid='beetle'), word='fill'),
    'Mushrooms': WildSet(dict(crescent='chanterelle', heart='fly agaric', hourglass='morel', triangle='ink cap')),
}


def wild_stream(name: str) -> str:
    """The source whose pictures a set has."""
    return f'odinw_{name.lower()}'


def write_odinw(plan) -> None:
    """Writes odinw/dataset/{set}/{train,valid,test}/ of every set, which share the pictures of the source evenly."""
    share = replace(plan, images=-(-plan.images // len(WILD_SETS)),
                    val_images=max(LEAST_VAL, -(-plan.val_images // len(WILD_SETS))))
    for name, wild in WILD_SETS.items():
        folder = plan.root / 'odinw/dataset' / name

        def draw(split: str, sampler=wild.sampler) -> list:
            return share.draw(wild_stream(name), split, lambda *args: None, sampler)

        held_out = draw('val')
        for part, pictures in (('train', draw('train')), ('valid', held_out[::2]), ('test', held_out[1::2])):
            _write(folder / part, wild, pictures)


def _write(folder: Path, wild: WildSet, pictures) -> None:
    ids = {name: number for number, name in enumerate(wild.names.values(), 1)}
    images, annotations = [], []
    for picture in pictures:
        name = f'{picture.stream}_{picture.index:05d}.jpg'
        data = encode_image(_photograph(wild, picture), '.jpg')
        write_bytes(folder / name, data)
        entry = image_entry(picture, name)
        images.append(dict(entry, height=entry['height'] // wild.shrink, width=entry['width'] // wild.shrink))
        for ann_id, seen in picture.annotations:
            category = wild.names.get(getattr(seen.obj, wild.word))
            if category is not None:
                box = [side / wild.shrink for side in seen.bbox]
                annotations.append(dict(id=ann_id, image_id=picture.image_id, category_id=ids[category], bbox=box,
                                        area=box[2] * box[3], iscrowd=0))
    write_json(folder / ANNOTATIONS, {
        'info': info('ODinW'), 'licenses': LICENSES, 'images': images, 'annotations': annotations,
        'categories': [dict(id=number, name=name, supercategory='object') for name, number in ids.items()]})


def _photograph(wild: WildSet, picture) -> np.ndarray:
    """The picture as the set has it, RGB."""
    image = render(picture.scene)
    if wild.shrink > 1:
        height, width = (side // wild.shrink for side in image.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return image if wild.look is None else wild.look(image, picture.rng('look'))
