"""Videos of objects that stop, set off, never rest or never move: no frame alone tells which of them is meant."""
import numpy as np

from .motion import Stage, go, start, still, stop
from .scene import near
from .video_expressions import VideoReferral
from .video_scene import MovingObject, VideoSampler, VideoScene

MOVES, RESTS = 3., 0.5  # px of a step from one frame to the next that everybody sees, and that nobody does
LEAST = 3  # steps that a movement and a rest last at least
PACES = {'stop': stop, 'start': start, 'go': go, 'still': still}
SAYINGS = {
    'stop': ('the one that stopped moving', 'the one that moves at first and is still at last'),
    'start': ('the one that starts moving last', 'the one that is still at first and moves at last'),
    'go': ('the one moving from first to last', 'the one that moves at first and at last'),
    'still': ('the one that stays still', 'the one that is still at first and at last'),
}


class StopAndGoSampler(VideoSampler):
    """Draws videos of objects of different shapes, each of which moves in a way of its own (``PACES``).

    They are whole and apart from each other in all frames, so that what is to be found out is when each one moves.

    Args:
        length (int): number of frames.
        count (int): number of objects, at most one for each way to move.
        kwargs: of ``VideoSampler``.
    """

    def __init__(self, length: int = 8, count: int = 3, **kwargs):
        super().__init__(lengths=(length, length), size_probs={'small': 0.4, 'medium': 0.6}, kin_prob=0., **kwargs)
        self.count = count

    def __call__(self, rng: np.random.Generator) -> VideoScene:
        """Draws one video."""
        short = int(rng.choice(self.short_sides))
        stage = Stage(short, int(short * rng.choice(self.ratios)) // 8 * 8, self.lengths[0])
        paces = [str(pace) for pace in rng.permutation(sorted(PACES))[:self.count]]
        while True:
            looks = [self._describe(rng, []) for _ in paces]
            movers = tuple(MovingObject(pace, PACES[pace](rng, obj, stage)) for pace, obj in zip(paces, looks))
            if len({obj.shape for obj in looks}) == self.count and self._are_apart(movers):
                return VideoScene(stage.height, stage.width, self._background(rng), movers)

    @staticmethod
    def _are_apart(movers: tuple) -> bool:
        """Whether no two come near each other."""
        return not any(near(one, poses[:number]) for poses in zip(*(mover.poses for mover in movers))
                       for number, one in enumerate(poses))


STOP_AND_GO = StopAndGoSampler(ratios=(1., 1.2))


def pace_of(poses) -> str | None:
    """How an object moves, a key of ``PACES``; None where it is none of them, or not clearly one.

    Args:
        poses (Sequence[SceneObject]): one per frame.
    """
    steps = np.linalg.norm(np.diff([(pose.x, pose.y) for pose in poses], axis=0), axis=1)
    if ((steps > RESTS) & (steps < MOVES)).any():
        return None
    moves = steps >= MOVES
    changes = np.nonzero(np.diff(moves))[0] + 1
    if len(changes) == 0:
        return 'go' if moves[0] else 'still'
    if len(changes) > 1 or min(changes[0], len(steps) - changes[0]) < LEAST:
        return None
    return 'stop' if moves[0] else 'start'


def refer_to_paces(video) -> list:
    """All that can be said of the one object that moves in some way (``VideoReferral``), where all ways are clear.

    Args:
        video (Video): drawn by ``StopAndGoSampler``.
    """
    paces = [pace_of(track.poses) for track in video.tracks]
    if None in paces:
        return []
    return [VideoReferral((paces.index(pace), ), 'motion', SAYINGS[pace]) for pace in PACES if paces.count(pace) == 1]
