"""Questions about a picture that name no object outright: two facts have to be put together to find it.

Every question holds for one object and clearly for no other; ``likeness`` questions know what shapes are for.
"""
from dataclasses import dataclass

import numpy as np

from .relations import BIGGER, MARGIN
from .scene import SceneSampler
from .vocabulary import COLOURS, FILLS, SHAPES

# Few objects, many of one shape: what a question excludes has to be there.
PUZZLING = SceneSampler(counts={4: 0.3, 5: 0.4, 6: 0.3}, kin_prob=0.75, cover_prob=0.15)

LIKENESS = {
    'circle': ('the shape that could roll away', 'what looks like a wheel without a hole'),
    'square': ('what could be a tile of a floor', 'the shape with four equal sides'),
    'triangle': ('the shape with three corners', 'what looks like the roof of a house'),
    'star': ('what one sees in the sky on a clear night', 'the shape with five points'),
    'ring': ('what one wears on a finger', 'the shape with a hole'),
    'cross': ('what marks a place on a map', 'what looks like a plus sign'),
    'heart': ('what stands for love', 'what beats in a chest'),
    'crescent': ('what looks like the moon', 'what shines thin at night'),
    'arrow': ('what shows the way', 'the shape that points somewhere'),
    'hourglass': ('what measures time', 'what sand runs through'),
}
EXTREMES = {'leftmost': (-1, 0), 'rightmost': (1, 0), 'topmost': (0, -1), 'bottommost': (0, 1)}


@dataclass(frozen=True)
class Question:
    """A question about a picture.

    Args:
        target (int): index of the object that it asks for.
        kind (str): 'neither', 'only', 'likeness', 'extreme', 'size', 'same' or 'except'.
        text (str): what is asked for.
    """
    target: int
    kind: str
    text: str


def ask(picture, most: int = 4) -> list:
    """Questions about a picture, of as many kinds as it allows.

    Args:
        picture (Picture): annotated picture.
        most (int): number of questions at most.

    Returns:
        list[Question]: in a fixed random order.
    """
    rng = picture.rng('reasoning')
    objects = [seen.obj for seen in picture.objects]
    found = [question for kind in (_neither, _only, _likeness, _except, _same) for question in kind(objects)]
    found += _extreme([seen.centre for seen in picture.objects]) + _size(objects)
    by_kind = {}
    for question in found:
        by_kind.setdefault(question.kind, []).append(question)
    taken = []
    for kind in rng.permutation(sorted(by_kind))[:most]:
        taken.append(by_kind[kind][int(rng.integers(len(by_kind[kind])))])
    return taken


def _one(objects, holds):
    """The index of the one object of which something holds, None if there are more or none."""
    fits = [index for index, obj in enumerate(objects) if holds(obj)]
    return fits[0] if len(fits) == 1 else None


def _questions(kind: str, pairs) -> list:
    return [Question(target, kind, text) for target, text in pairs if target is not None]


def _neither(objects) -> list:
    """'the star that is neither red nor striped': each word excludes another star."""
    pairs = []
    for shape in sorted({obj.shape for obj in objects}):
        kin = [obj for obj in objects if obj.shape == shape]
        for colour in COLOURS:
            for fill in FILLS:
                excluded = {(obj.colour == colour, obj.fill == fill) for obj in kin}
                if len(kin) > 1 and excluded & {(True, False), (False, True)}:
                    target = _one(objects, lambda obj: (
                        obj.shape == shape and obj.colour != colour and obj.fill != fill))
                    pairs.append((target, f'the {shape} that is neither {colour} nor {fill}'))
    return _questions('neither', pairs)


def _only(objects) -> list:
    """'the only dotted shape'."""
    words = [(word, key) for key, all_words in (('colour', COLOURS), ('fill', FILLS)) for word in all_words]
    return _questions('only', [(_one(objects, lambda obj: getattr(obj, key) == word), f'the only {word} shape')
                               for word, key in words])


def _likeness(objects) -> list:
    """'what one wears on a finger'."""
    return _questions('likeness', [(_one(objects, lambda obj: obj.shape == shape), text)
                                   for shape in SHAPES for text in LIKENESS[shape]])


def _except(objects) -> list:
    """'the red shape that is not a star': there is a red star."""
    pairs = []
    for colour in COLOURS:
        own = [obj for obj in objects if obj.colour == colour]
        for shape in sorted({obj.shape for obj in own}):
            target = _one(objects, lambda obj: obj.colour == colour and obj.shape != shape)
            pairs.append((target, f'the {colour} shape that is not {_article(shape)} {shape}'))
    return _questions('except', pairs)


def _same(objects) -> list:
    """'the shape with the same color as the heart'."""
    pairs = []
    for shape in SHAPES:
        index = _one(objects, lambda obj: obj.shape == shape)
        if index is not None:
            target = _one(objects, lambda obj: obj.colour == objects[index].colour and obj is not objects[index])
            pairs.append((target, f'the shape with the same color as the {shape}'))
    return _questions('same', pairs)


def _extreme(centres) -> list:
    """'the leftmost shape'."""
    pairs = []
    for word, direction in EXTREMES.items():
        places = np.array(centres) @ np.array(direction)
        order = places.argsort()
        if places[order[-1]] - places[order[-2]] >= MARGIN:
            pairs.append((int(order[-1]), f'the {word} shape'))
    return _questions('extreme', pairs)


def _size(objects) -> list:
    """'the biggest of all shapes'."""
    order = sorted(range(len(objects)), key=lambda index: objects[index].size)
    sizes = [objects[index].size for index in order]
    pairs = []
    if sizes[-1] >= BIGGER * sizes[-2]:
        pairs.append((order[-1], 'the biggest of all shapes'))
    if sizes[1] >= BIGGER * sizes[0]:
        pairs.append((order[0], 'the smallest of all shapes'))
    return _questions('size', pairs)


def _article(word: str) -> str:
    return 'an' if word[0] in 'aeiou' else 'a'
