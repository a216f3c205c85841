"""Videos of two objects that look the same and pass each other: only their past tells which one is meant."""
from dataclasses import replace

import numpy as np

from .motion import Stage
from .video_expressions import VideoReferral
from .video_scene import MovingObject, VideoSampler, VideoScene

APART = 30.  # px between the centres, sideways, at the start and where they have passed

# Of the object that starts on the left and of the one that starts on the right.
SAYINGS = (('starts on the left', 'is left at first'), ('starts on the right', 'is right at first'))


class LookAlikeSampler(VideoSampler):
    """Draws videos of two objects of the same shape, colours, size and angle.

    One goes right and the other left, above or below it. They wait, then pass each other once, or a second time on
    their way back, so that neither place nor time tells them apart. Their hulls never touch: a frame shows both whole.

    Args:
        length (int): number of frames.
        way (tuple[float]): least and largest way of each, as a share of the width.
        wait (float): longest share of the time before they move.
        back_prob (float): probability that both go back where they came from.
        kwargs: of ``VideoSampler``.
    """

    def __init__(self, length: int = 8, way=(0.5, 0.65), wait: float = 0.3, back_prob: float = 0.5, **kwargs):
        super().__init__(lengths=(length, length), size_probs={'small': 0.3, 'medium': 0.7}, **kwargs)
        self.way, self.wait, self.back_prob = way, wait, back_prob

    def __call__(self, rng: np.random.Generator) -> VideoScene:
        """Draws one video; the first object is the one that starts on the left."""
        short = int(rng.choice(self.short_sides))
        stage = Stage(short, int(short * rng.choice(self.ratios)) // 8 * 8, self.lengths[0])
        obj = self._describe(rng, [])
        half, apart = obj.size / 2 + 1, obj.size + rng.uniform(4, 16)
        way = min(rng.uniform(*self.way) * stage.width, stage.width - 2 * half)
        while True:
            left = rng.uniform(half, stage.width - half - way)
            right = rng.uniform(half + way, stage.width - half)
            if right - left >= APART and left + way - (right - way) >= APART:
                break
        top = rng.uniform(half, stage.height - half - apart)
        heights = (top, top + apart) if rng.random() < 0.5 else (top + apart, top)
        gone = self._gone(rng, stage)
        movers = tuple(
            MovingObject('pass each other', tuple(
                replace(obj, x=round(float(start + step * share), 2), y=round(float(y), 2)) for share in gone))
            for start, step, y in zip((left, right), (way, -way), heights))
        return VideoScene(stage.height, stage.width, self._background(rng), movers)

    def _gone(self, rng, stage: Stage) -> np.ndarray:
        """Share of the way that is behind them, per frame."""
        wait = rng.uniform(0, self.wait)
        gone = np.clip((stage.times - wait) / (1 - wait), 0, 1)
        return 1 - abs(1 - 2 * gone) if rng.random() < self.back_prob else gone


LOOK_ALIKES = LookAlikeSampler(ratios=(1., 1.2))


def refer_to_look_alikes(video) -> list:
    """All that can be said of either object (``VideoReferral``), the one that starts on the left first.

    Args:
        video (Video): drawn by ``LookAlikeSampler``.
    """
    return [VideoReferral((index, ), 'motion', (f'the {video.tracks[index].obj.shape} that {said}', ))
            for index, sayings in enumerate(SAYINGS) for said in sayings]
