"""Sentences that refer to exactly one object of a picture.

Every sentence has at least two candidates: objects of the shape that it names. It holds for one of
them and, by a margin, for no other. Positions are centres of visible boxes; 'biggest' and
'smallest' compare whole objects.
"""
import itertools
import math
from dataclasses import dataclass

from .vocabulary import ORDINALS

MARGIN = 10  # px by which an order along an axis must be clear
NEARER = 1.25  # ratio by which the closest must be closer, besides the margin
BIGGER = 1.3  # ratio of sizes by which the biggest must be bigger
ASLANT = 0.4  # 'left of' needs dx >= ASLANT * |dy|, and likewise for the other directions

_WORDS = ('size', 'fill', 'colour')
_DIRECTIONS = {
    'left of': (-1, 0),
    'right of': (1, 0),
    'above': (0, -1),
    'below': (0, 1),
}
_SIDES = {'left': (1, 0), 'right': (-1, 0), 'top': (0, 1), 'bottom': (0, -1)}


@dataclass(frozen=True)
class Expression:
    """A sentence about the picture.

    Args:
        target (int): index of the object that it refers to.
        relation (str): 'attribute', 'side', 'ordinal', 'closest', 'size' or 'same color'.
        noun (tuple): the words (size, fill, colour, shape) of the referred object that are used,
            None where one is left out.
        landmark (tuple): the same for the other object of the sentence, or None.
        word (str): the direction, ordinal and side, or superlative.
        needed (bool): whether the noun alone fits more than one object.
    """
    target: int
    relation: str
    noun: tuple
    landmark: tuple = None
    word: str = ''
    needed: bool = True


class Candidates:
    """The objects of a picture by every description that fits them.

    Args:
        objects (Sequence[VisibleObject]): of the picture.
    """

    def __init__(self, objects):
        self.objects = [seen.obj for seen in objects]
        self.centres = [seen.centre for seen in objects]
        self.fits = {}
        self._named = {}
        for index, obj in enumerate(self.objects):
            for noun in descriptions(obj):
                self.fits.setdefault(noun, []).append(index)

    def heads(self, words=_WORDS, most: int = 3):
        """Descriptions of objects that have a namesake: (noun, indices that it fits)."""
        for noun, indices in self.fits.items():
            used = [key for key, word in zip(_WORDS, noun) if word is not None]
            has_namesake = len(self.fits[None, None, None, noun[-1]]) > 1
            if has_namesake and len(used) <= most and set(used) <= set(words):
                yield noun, indices

    def landmarks(self, head_shape: str, words=_WORDS) -> list:
        """Objects of another shape: (index, short descriptions that fit it alone)."""
        if words not in self._named:
            self._named[words] = [(index, self._names(obj, index, words))
                                  for index, obj in enumerate(self.objects)]
        return [(index, names) for index, names in self._named[words]
                if names and self.objects[index].shape != head_shape]

    def _names(self, obj, index: int, words: tuple) -> list:
        """The shortest unambiguous descriptions of an object and those with one word more."""
        nouns = [noun for noun in descriptions(obj, words) if self.fits[noun] == [index]]
        return [noun for noun in nouns if _length(noun) <= _length(nouns[0]) + 1]


def descriptions(obj, words=_WORDS):
    """All descriptions of an object by some of the words, the shortest first."""
    own = {'size': obj.size_name, 'fill': obj.fill, 'colour': obj.colour}
    for count in range(len(words) + 1):
        for used in itertools.combinations(words, count):
            yield tuple(own[key] if key in used else None for key in _WORDS) + (obj.shape, )


def _length(noun: tuple) -> int:
    return sum(word is not None for word in noun)


def attribute_expressions(candidates: Candidates) -> list:
    """'the large striped star': every description by attributes that fits one object alone."""
    return [
        Expression(indices[0], 'attribute', noun, needed=False)
        for noun, indices in candidates.heads() if len(indices) == 1
    ]


def side_expressions(candidates: Candidates) -> list:
    """'the red star left of the blue ring'."""
    found = []
    for noun, indices in candidates.heads():
        for index, names in candidates.landmarks(noun[-1]):
            for word, direction in _DIRECTIONS.items():
                target = _only_on_side(candidates.centres, indices, index, direction)
                if target is not None:
                    found += [
                        Expression(target, 'side', noun, name, word, len(indices) > 1)
                        for name in names
                    ]
    return found


def _only_on_side(centres, indices, landmark: int, direction: tuple):
    """The one candidate clearly on a side of the landmark while the others clearly are not."""
    x, y = centres[landmark]
    on_side = []
    for index in indices:
        dx, dy = centres[index][0] - x, centres[index][1] - y
        along = dx * direction[0] + dy * direction[1]
        across = abs(dx * direction[1]) + abs(dy * direction[0])
        if along > -MARGIN:
            if along < MARGIN or along < ASLANT * across:
                return None
            on_side.append(index)
    return on_side[0] if len(on_side) == 1 else None


def ordinal_expressions(candidates: Candidates) -> list:
    """'the second circle from the left'."""
    found = []
    centres = candidates.centres
    for noun, indices in candidates.heads(most=1):
        if not 2 <= len(indices) <= len(ORDINALS):
            continue
        for side, (dx, dy) in _SIDES.items():
            places = {i: centres[i][0] * dx + centres[i][1] * dy for i in indices}
            order = sorted(indices, key=places.get)
            if all(places[b] - places[a] >= MARGIN for a, b in itertools.pairwise(order)):
                found += [
                    Expression(target, 'ordinal', noun, None, f'{ordinal} {side}')
                    for ordinal, target in zip(ORDINALS, order)
                ]
    return found


def closest_expressions(candidates: Candidates) -> list:
    """'the star closest to the blue ring'."""
    found = []
    centres = candidates.centres
    for noun, indices in candidates.heads():
        for index, names in candidates.landmarks(noun[-1]):
            distance = {i: math.dist(centres[i], centres[index]) for i in indices}
            order = sorted(indices, key=distance.get)
            least = distance[order[0]]
            if len(order) < 2 or distance[order[1]] >= max(least + MARGIN, least * NEARER):
                found += [
                    Expression(order[0], 'closest', noun, name, '', len(order) > 1)
                    for name in names
                ]
    return found


def size_expressions(candidates: Candidates) -> list:
    """'the biggest star'."""
    found = []
    objects = candidates.objects
    for noun, indices in candidates.heads(words=('fill', 'colour'), most=1):
        order = sorted(indices, key=lambda i: objects[i].size)
        if len(order) < 2:
            continue
        sizes = [objects[i].size for i in order]
        if sizes[-1] >= BIGGER * sizes[-2]:
            found.append(Expression(order[-1], 'size', noun, None, 'biggest'))
        if sizes[1] >= BIGGER * sizes[0]:
            found.append(Expression(order[0], 'size', noun, None, 'smallest'))
    return found


def same_colour_expressions(candidates: Candidates) -> list:
    """'the star with the same color as the heart'."""
    found = []
    objects = candidates.objects
    for noun, indices in candidates.heads(words=('size', 'fill'), most=1):
        if len(indices) < 2:
            continue
        for index, names in candidates.landmarks(noun[-1], words=('size', 'fill')):
            same = [i for i in indices if objects[i].colour == objects[index].colour]
            if len(same) == 1:
                found += [Expression(same[0], 'same color', noun, name) for name in names]
    return found
