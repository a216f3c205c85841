"""How MiniWorld objects move: each motion is a list of poses, one per frame."""
from dataclasses import dataclass, replace

import numpy as np

from .scene import SceneObject

DIRECTIONS = {'left': (-1, 0), 'right': (1, 0), 'up': (0, -1), 'down': (0, 1)}
ROUND = ('circle', 'ring')  # nobody sees these turn
LEAST = 22.  # px that an object keeps when it shrinks, about the smallest of the images
FAR = 12.  # px between an object that left the image and its border


@dataclass(frozen=True)
class Stage:
    """Where a motion takes place: image height and width in px, number of frames."""
    height: int
    width: int
    length: int

    @property
    def times(self) -> np.ndarray:
        """0 at the first and 1 at the last frame, (length, )."""
        return np.linspace(0, 1, self.length)


def still(rng, obj: SceneObject, stage: Stage) -> tuple:
    return _poses(_anywhere(rng, obj, stage), stage)


def straight(direction: str):
    """The motion in one direction, with a random speed."""

    def move(rng, obj: SceneObject, stage: Stage) -> tuple:
        dx, dy = DIRECTIONS[direction]
        room = (stage.width if dx else stage.height) - obj.size - 2
        distance = min(rng.uniform(0.25, 0.6) * (stage.width if dx else stage.height), room)
        obj = _anywhere(rng, obj, stage, dx * distance, dy * distance)
        return _poses(obj, stage, x=dx * distance * stage.times, y=dy * distance * stage.times)

    return move


def grow(rng, obj: SceneObject, stage: Stage) -> tuple:
    most = 0.55 * min(stage.height, stage.width)
    factor = rng.uniform(1.5, 2.)
    obj = replace(obj, size=round(min(obj.size, most / factor), 2))
    obj = replace(_anywhere(rng, replace(obj, size=obj.size * factor), stage), size=obj.size)
    return _poses(obj, stage, scale=1 + (factor - 1) * stage.times)


def shrink(rng, obj: SceneObject, stage: Stage) -> tuple:
    obj = _anywhere(rng, replace(obj, size=round(max(obj.size, 40.), 2)), stage)
    factor = max(rng.uniform(0.45, 0.65), LEAST / obj.size)
    return _poses(obj, stage, scale=1 + (factor - 1) * stage.times)


def turn(rng, obj: SceneObject, stage: Stage) -> tuple:
    angle = rng.uniform(150, 330) * rng.choice((-1, 1))
    return _poses(_anywhere(rng, obj, stage), stage, angle=angle * stage.times)


def leave(rng, obj: SceneObject, stage: Stage) -> tuple:
    """Out of the image before the end, for good."""
    obj, reach, (dx, dy) = _way_out(rng, obj, stage)
    gone = reach * stage.times / rng.uniform(0.55, 0.8)
    return _poses(obj, stage, x=dx * gone, y=dy * gone)


def enter(rng, obj: SceneObject, stage: Stage) -> tuple:
    """Into the image from outside, some frames after the first."""
    return leave(rng, obj, stage)[::-1]


def come_back(rng, obj: SceneObject, stage: Stage) -> tuple:
    """Out of the image and in again at the same place."""
    obj, reach, (dx, dy) = _way_out(rng, obj, stage)
    swing = 1.35 * reach * np.sin(np.pi * stage.times)
    return _poses(obj, stage, x=dx * swing, y=dy * swing)


def pass_behind(rng, obj: SceneObject, stage: Stage, other: SceneObject) -> tuple:
    """Straight across the image so that `other` (at half time) is in between.

    Args:
        rng (np.random.Generator): random numbers.
        obj (SceneObject): what moves; it gets no larger than `other`.
        stage (Stage): where.
        other (SceneObject): pose of the other object at half time.
    """
    obj = replace(obj, size=round(min(obj.size, 0.95 * other.size), 2))
    dx, dy = DIRECTIONS[str(rng.choice(list(DIRECTIONS)))]
    side, place = (stage.width, other.x) if dx else (stage.height, other.y)
    half = obj.size / 2 + 1
    reach = min(place - half, side - half - place, 0.45 * side)
    off = rng.uniform(-0.12, 0.12) * other.size
    swing = reach * (2 * stage.times - 1)
    obj = replace(obj, x=other.x + (off if dy else 0), y=other.y + (off if dx else 0))
    return _poses(obj, stage, x=dx * swing, y=dy * swing)


def go(rng, obj: SceneObject, stage: Stage) -> tuple:
    """Straight in any direction from the first to the last frame."""
    return _straight_by(rng, obj, stage, stage.times, (0.5, 0.7))


def stop(rng, obj: SceneObject, stage: Stage) -> tuple:
    """Straight in any direction, then at rest from about the middle to the end."""
    last = int(rng.integers(stage.length * 3 // 8, stage.length // 2 + 1))
    return _straight_by(rng, obj, stage, np.minimum(np.arange(stage.length) / last, 1), (0.3, 0.6))


def start(rng, obj: SceneObject, stage: Stage) -> tuple:
    """At rest to about the middle, then straight to the end."""
    return stop(rng, obj, stage)[::-1]


# What a sampler draws from by default: a new motion here would change every older world.
MOTIONS = {
    'still': still, **{direction: straight(direction) for direction in DIRECTIONS}, 'grow': grow, 'shrink': shrink,
    'turn': turn, 'leave': leave, 'enter': enter, 'come back': come_back
}


def _poses(obj: SceneObject, stage: Stage, x=0., y=0., scale=1., angle=0.) -> tuple:
    """The object shifted, scaled and turned per frame, each a number or (length, )."""
    columns = np.broadcast_arrays(obj.x + x, obj.y + y, obj.size * scale, (obj.angle + angle) % 360,
                                  stage.times)[:4]
    return tuple(
        replace(obj, x=round(float(x), 2), y=round(float(y), 2), size=round(float(size), 2),
                angle=round(float(angle), 1)) for x, y, size, angle in zip(*columns))


def _straight_by(rng, obj: SceneObject, stage: Stage, gone: np.ndarray, share: tuple) -> tuple:
    """A way in a random direction, of which a share `gone` (length, ) is behind it; its length is a `share` of the
    side of the image, between two bounds, as far as there is room."""
    dx, dy = DIRECTIONS[str(rng.choice(list(DIRECTIONS)))]
    side = stage.width if dx else stage.height
    way = min(rng.uniform(*share) * side, side - obj.size - 2)
    obj = _anywhere(rng, obj, stage, dx * way, dy * way)
    return _poses(obj, stage, x=dx * way * gone, y=dy * way * gone)


def _anywhere(rng, obj: SceneObject, stage: Stage, dx: float = 0., dy: float = 0.) -> SceneObject:
    """The object at a random place from which a way of (dx, dy) px stays in the image."""
    half = obj.size / 2 + 1
    place = []
    for side, way in ((stage.width, dx), (stage.height, dy)):
        low, high = half - min(way, 0), side - half - max(way, 0)
        place.append(rng.uniform(low, max(low, high)))
    return replace(obj, x=float(place[0]), y=float(place[1]))


def _way_out(rng, obj: SceneObject, stage: Stage) -> tuple:
    """A place near a border, the distance from there to outside of the image, the direction."""
    dx, dy = DIRECTIONS[str(rng.choice(list(DIRECTIONS)))]
    obj = _anywhere(rng, obj, stage)
    near = obj.size / 2 + rng.uniform(2, 40)
    side, axis = (stage.width, 'x') if dx else (stage.height, 'y')
    obj = replace(obj, **{axis: near if dx + dy < 0 else side - near})
    return obj, near + obj.size / 2 + FAR, (dx, dy)
