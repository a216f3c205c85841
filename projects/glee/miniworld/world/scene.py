"""Scenes of MiniWorld: a pure description of what is where, and how scenes are drawn at random."""
from dataclasses import dataclass, replace

import numpy as np

from .shapes import footprint, outline, window
from .vocabulary import COLOURS, FILLS, SHAPES, SIZES, fine_name, sized_name

BACKGROUNDS = ('plain', 'clouds', 'waves', 'checks', 'grain')


@dataclass(frozen=True)
class SceneObject:
    """One object.

    Args:
        shape, colour, fill, size_name (str): words of the vocabulary.
        size (float): longest side of the box of the whole object, px.
        x, y (float): centre of that box, px.
        angle (float): counter-clockwise rotation, degrees.
        shade (float): brightness factor of the colour.
    """
    shape: str
    colour: str
    fill: str
    size_name: str
    size: float
    x: float
    y: float
    angle: float
    shade: float = 1.

    @property
    def fine_name(self) -> str:
        return fine_name(self.fill, self.colour, self.shape)

    @property
    def sized_name(self) -> str:
        return sized_name(self.size_name, self.colour, self.shape)


@dataclass(frozen=True)
class Background:
    """A grey, slightly tinted texture.

    Args:
        kind (str): one of `BACKGROUNDS`.
        colour (tuple): mean RGB, 0..255.
        contrast (float): amplitude of the texture, grey levels.
        period (float): coarseness of the texture, px.
        angle (float): direction of the texture, degrees.
        seed (int): of the random parts of the texture.
    """
    kind: str
    colour: tuple
    contrast: float
    period: float
    angle: float
    seed: int


@dataclass(frozen=True)
class Scene:
    """An image before it is drawn: objects in depth order, the last one in front."""
    width: int
    height: int
    background: Background
    objects: tuple


def visible_masks(objects, height: int, width: int) -> list:
    """What the objects in front leave visible of each object.

    Returns:
        list[np.ndarray]: bool (height, width) per object, in the order of `objects`.
    """
    masks = [None] * len(objects)
    taken = np.zeros((height, width), bool)
    for index in range(len(objects) - 1, -1, -1):
        whole = footprint(objects[index], height, width)
        masks[index] = whole & ~taken
        taken |= whole
    return masks


def visible_fractions(objects, height: int, width: int) -> list:
    """Visible area / whole area of each object, in 0..1."""
    return [
        mask.sum() / footprint(obj, height, width).sum()
        for obj, mask in zip(objects, visible_masks(objects, height, width))
    ]


class SceneSampler:
    """Draws scenes.

    Args:
        short_sides (tuple[int]): choices of the shorter image side, px.
        max_side (int): limit of the longer side, px.
        ratios (tuple[float]): choices of longer / shorter side.
        counts (dict): wished number of objects -> probability.
        size_probs (dict): size word -> probability.
        tail (float): exponent of the Zipf law over the colour and fill of a shape. It is the same
            for all seeds, so that rare names are rare in every split.
        kin_prob (float): probability that an object repeats the shape of an earlier one;
            expressions need several objects of one name.
        keep_prob (float): probability that such an object also keeps that one's colour, and
            likewise its fill: distractors that differ in one word only.
        cover_prob (float): probability that an object is put over or under an earlier one.
        max_touching (int): the most objects that an object is put over, under or beside.
        hidden (tuple[float]): range of the hidden share of the object below.
        min_visible (float): least visible share of any object.
        min_area (int): least visible area of any object, px.
    """

    def __init__(self,
                 short_sides=(160, ),
                 max_side=240,
                 ratios=(1., 1.2, 1.35, 1.5),
                 counts=None,
                 size_probs=None,
                 tail=1.,
                 kin_prob=0.62,
                 keep_prob=0.4,
                 cover_prob=0.4,
                 max_touching=2,
                 hidden=(0.08, 0.45),
                 min_visible=0.5,
                 min_area=48):
        self.short_sides = short_sides
        self.max_side = max_side
        self.ratios = ratios
        self.counts = counts or {5: 0.1, 6: 0.2, 7: 0.25, 8: 0.25, 9: 0.2}
        self.size_probs = size_probs or {'small': 0.32, 'medium': 0.38, 'large': 0.3}
        self.kin_prob = kin_prob
        self.keep_prob = keep_prob
        self.cover_prob = cover_prob
        self.max_touching = max_touching
        self.hidden = hidden
        self.min_visible = min_visible
        self.min_area = min_area
        self.weights = _long_tail(tail)

    def __call__(self, rng: np.random.Generator) -> Scene:
        """Draws one scene with at least two objects."""
        short = int(rng.choice(self.short_sides))
        long = min(int(short * rng.choice(self.ratios)) // 8 * 8, self.max_side)
        height, width = (short, long) if rng.random() < 0.5 else (long, short)
        objects = []
        wished = int(rng.choice(list(self.counts), p=list(self.counts.values())))
        while len(objects) < 2:
            objects = []
            for _ in range(wished):
                objects = self._add(rng, objects, height, width)
        return Scene(width, height, self._background(rng), tuple(objects))

    def _add(self, rng, objects: list, height: int, width: int) -> list:
        """The objects with one more, or unchanged where no place is found for it."""
        obj = self._describe(rng, objects)
        places = (self._place_free, )
        if objects and rng.random() < self.cover_prob:
            places = (self._place_covering, self._place_free)
        for place in places:
            for _ in range(60):
                placed = place(rng, obj, objects, height, width)
                if placed is not None:
                    return placed
        return objects

    def _describe(self, rng, objects: list) -> SceneObject:
        """An object without a place."""
        shape, colour, fill = int(rng.integers(len(SHAPES))), None, None
        if objects and rng.random() < self.kin_prob:
            kin = objects[int(rng.integers(len(objects)))]
            shape = SHAPES.index(kin.shape)
            colour = list(COLOURS).index(kin.colour) if rng.random() < self.keep_prob else None
            fill = FILLS.index(kin.fill) if rng.random() < self.keep_prob else None
        colour, fill = self._colour_and_fill(rng, shape, colour, fill)
        size_name = str(rng.choice(list(self.size_probs), p=list(self.size_probs.values())))
        return SceneObject(
            shape=SHAPES[shape],
            colour=list(COLOURS)[colour],
            fill=FILLS[fill],
            size_name=size_name,
            size=round(float(rng.uniform(*SIZES[size_name])), 2),
            x=0.,
            y=0.,
            angle=round(float(rng.uniform(0, 360)), 1),
            shade=round(float(rng.uniform(0.92, 1.)), 3))

    def _colour_and_fill(self, rng, shape: int, colour, fill) -> tuple:
        """Draws what is None from the long tail, given the rest."""
        weights = self.weights[shape].copy()
        if colour is not None:
            weights[np.arange(len(COLOURS)) != colour] = 0
        if fill is not None:
            weights[:, np.arange(len(FILLS)) != fill] = 0
        flat = weights.ravel() / weights.sum()
        return divmod(int(rng.choice(len(flat), p=flat)), len(FILLS))

    def _place_free(self, rng, obj, objects, height, width):
        obj = self._at(rng.uniform(0, width), rng.uniform(0, height), obj)
        if not inside(obj, height, width) or near(obj, objects):
            return None
        return objects + [obj]

    def _place_covering(self, rng, obj, objects, height, width):
        """Puts `obj` directly below or in front of a random object so that one hides the other.

        Objects that touch differ in colour, or nobody could tell which part belongs to which.
        """
        index = int(rng.integers(len(objects)))
        other = objects[index]
        reach = rng.uniform(0.3, 0.9) * (obj.size + other.size) / 2
        angle = rng.uniform(0, 2 * np.pi)
        obj = self._at(other.x + reach * np.cos(angle), other.y + reach * np.sin(angle), obj)
        close = [kin for kin in objects if near(obj, [kin])]
        alike = any(kin.colour == obj.colour for kin in close)
        if not inside(obj, height, width) or alike or len(close) > self.max_touching:
            return None
        below = rng.random() < 0.5
        placed = objects[:index] + [obj] + objects[index:] if below else objects + [obj]
        fractions = visible_fractions(placed, height, width)
        hidden = 1 - fractions[index]
        if not self.hidden[0] <= hidden <= self.hidden[1]:
            return None
        areas = (mask.sum() for mask in visible_masks(placed, height, width))
        if min(fractions) < self.min_visible or min(areas) < self.min_area:
            return None
        return placed

    @staticmethod
    def _at(x: float, y: float, obj: SceneObject) -> SceneObject:
        return replace(obj, x=round(float(x), 2), y=round(float(y), 2))

    @staticmethod
    def _background(rng) -> Background:
        grey = rng.uniform(105, 165)
        tint = rng.uniform(-9, 9, 3)
        return Background(
            kind=str(rng.choice(BACKGROUNDS)),
            colour=tuple(round(float(value), 1) for value in grey + tint),
            contrast=round(float(rng.uniform(8, 20)), 1),
            period=round(float(rng.uniform(14, 48)), 1),
            angle=round(float(rng.uniform(0, 360)), 1),
            seed=int(rng.integers(2**31)))


def in_sight(obj: SceneObject, height: int, width: int) -> bool:
    """Whether an object covers a pixel of the image, occlusion aside."""
    x0, y0, x1, y1 = window(outline(obj), height, width)
    return x0 < x1 and y0 < y1 and bool(footprint(obj, height, width).any())


def inside(obj: SceneObject, height: int, width: int) -> bool:
    """Whether the (square hull of the) box of the object lies inside the image."""
    half = obj.size / 2 + 1
    return half <= obj.x <= width - half and half <= obj.y <= height - half


def near(obj: SceneObject, others, gap: float = 3.) -> bool:
    """Whether the square hulls of the boxes of `obj` and any other are closer than `gap` px."""
    return any(
        max(abs(obj.x - other.x), abs(obj.y - other.y)) < (obj.size + other.size) / 2 + gap
        for other in others)


def _long_tail(exponent: float) -> np.ndarray:
    """Probability of colour and fill given the shape, (shapes, colours, fills).

    Zipf weights over a different order of the combinations for each shape, such that every colour
    and every fill is common with some shapes and rare with others.
    """
    combos = len(COLOURS) * len(FILLS)
    weights = np.zeros((len(SHAPES), combos))
    for shape in range(len(SHAPES)):
        # 7 and 5 are coprime to the number of combinations: every rank occurs once.
        ranks = (7 * np.arange(combos) + 5 * shape) % combos
        weights[shape] = 1. / (1 + ranks)**exponent
    weights /= weights.sum(1, keepdims=True)
    return weights.reshape(len(SHAPES), len(COLOURS), len(FILLS))
