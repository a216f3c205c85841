"""Draws what happens in a video at random."""
from dataclasses import dataclass, replace

import numpy as np

from .motion import MOTIONS, ROUND, Stage, pass_behind
from .scene import Background, SceneObject, SceneSampler, in_sight, inside, near, visible_masks
from .shapes import footprint


@dataclass(frozen=True)
class MovingObject:
    """An object with its poses, one per frame, and the name of its motion."""
    motion: str
    poses: tuple


@dataclass(frozen=True)
class VideoScene:
    """A video before it is drawn: objects in depth order, the last one in front."""
    height: int
    width: int
    background: Background
    objects: tuple


class VideoSampler(SceneSampler):
    """Draws videos.

    Args:
        lengths (tuple[int]): least and largest number of frames.
        counts (dict): wished number of objects -> probability.
        motions (dict): name of a motion -> weight.
        twin_prob (float): probability that an object looks like an earlier one in every word and in
            size, so that nothing but place and motion tells them apart.
        pass_prob (float): probability that an object passes behind an earlier one.
        least_shown (float): share of the frames that show an object at least.
        kwargs: of `SceneSampler`.
    """

    def __init__(self, lengths=(10, 14), counts=None, motions=None, twin_prob=0.3, pass_prob=0.3, least_shown=0.34,
                 **kwargs):
        super().__init__(counts=counts or {3: 0.4, 4: 0.4, 5: 0.2}, **kwargs)
        self.lengths = lengths
        self.motions = motions or {name: 1. for name in MOTIONS}
        self.twin_prob = twin_prob
        self.pass_prob = pass_prob
        self.least_shown = least_shown

    def __call__(self, rng: np.random.Generator) -> VideoScene:
        """Draws one video with at least two objects."""
        short = int(rng.choice(self.short_sides))
        long = min(int(short * rng.choice(self.ratios)) // 8 * 8, self.max_side)
        height, width = (long, short) if rng.random() < 0.3 else (short, long)
        stage = Stage(height, width, int(rng.integers(self.lengths[0], self.lengths[1] + 1)))
        wished = int(rng.choice(list(self.counts), p=list(self.counts.values())))
        objects = []
        while len(objects) < min(2, wished):
            objects = []
            for _ in range(wished):
                objects = self._add_moving(rng, objects, stage)
        return VideoScene(stage.height, stage.width, self._background(rng), tuple(objects))

    def _add_moving(self, rng, objects: list, stage: Stage) -> list:
        """The objects with one more, or unchanged where no way is found for it."""
        obj = self._describe(rng, [moving.poses[0] for moving in objects])
        if objects and rng.random() < self.twin_prob:
            obj = replace(objects[int(rng.integers(len(objects)))].poses[0], angle=obj.angle)
        passing = bool(objects) and rng.random() < self.pass_prob
        for attempt in range(60):
            if passing and attempt < 20:
                placed = self._pass_behind(rng, obj, objects, stage)
            else:
                motion = self._motion(rng, obj, first=not objects)
                moving = MovingObject(motion, MOTIONS[motion](rng, obj, stage))
                depth = int(rng.integers(len(objects) + 1))
                placed = objects[:depth] + [moving] + objects[depth:]
            if placed is not None and self._is_clear(placed, stage):
                return placed
        return objects

    def _motion(self, rng, obj: SceneObject, first: bool) -> str:
        """One that can be seen of the object; the first object is there from the start."""
        names = [name for name in self.motions
                 if not (name == 'turn' and obj.shape in ROUND) and not (name == 'enter' and first)]
        weights = np.array([self.motions[name] for name in names], float)
        return str(rng.choice(names, p=weights / weights.sum()))

    def _pass_behind(self, rng, obj: SceneObject, objects: list, stage: Stage):
        index = int(rng.integers(len(objects)))
        other = objects[index].poses[stage.length // 2]
        if other.colour == obj.colour or not inside(other, stage.height, stage.width):
            return None
        poses = pass_behind(rng, obj, stage, other)
        return objects[:index] + [MovingObject('pass', poses)] + objects[index:]

    def _is_clear(self, objects: list, stage: Stage) -> bool:
        """Whether the video can be understood.

        Objects that touch differ in colour; the first frame shows at least `min_visible` of all
        that starts in the image; every object is shown in enough frames.
        """
        frames = list(zip(*(moving.poses for moving in objects)))
        for poses in frames:
            if any(one.colour == two.colour and near(one, [two], gap=1.)
                   for position, one in enumerate(poses) for two in poses[:position]):
                return False
        shown = np.zeros((stage.length, len(objects)), bool)
        for index, poses in enumerate(frames):
            present = [i for i, pose in enumerate(poses) if in_sight(pose, stage.height, stage.width)]
            masks = visible_masks([poses[i] for i in present], stage.height, stage.width)
            for i, mask in zip(present, masks):
                area, whole = mask.sum(), footprint(poses[i], stage.height, stage.width).sum()
                shown[index, i] = area >= self.min_area
                if index == 0 and area < max(self.min_visible * whole, self.min_area):
                    return False
        return bool((shown.mean(0) >= self.least_shown).all())
