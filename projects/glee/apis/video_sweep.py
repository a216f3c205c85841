"""Which frames a tracker must see, in which order, so that objects are known in the frames that are wanted."""
from typing import NamedTuple

from .video_objects import Start, VideoObject


class Sweep(NamedTuple):
    """``frames``: in the order in which a tracker sees them. ``starts``: by frame, what begins or is corrected there.
    ``shown``: the wanted frames that all objects of the sweep have reached when it comes to them."""
    frames: list[int]
    starts: dict[int, dict[int, Start]]
    shown: set[int]


NOTHING = Sweep([], {}, set())


def forward_sweep(objects: dict[int, VideoObject], wanted: range, every: bool) -> Sweep:
    """From the first frame that an object is followed from to the last one that is wanted.

    Args:
        objects: by identity.
        wanted: ascending frames.
        every: also the frames between them, which a tracker needs that remembers the previous frame.
    """
    starts = _by_frame({identity: known.anchors for identity, known in objects.items()})
    first = min(starts, default=0)
    shown = {frame for frame in wanted if frame >= first}
    if not starts or not shown:
        return NOTHING
    last = max(shown)
    frames = set(range(first, last + 1)) if every else shown | {frame for frame in starts if frame <= last}
    return Sweep(sorted(frames), starts, shown)


def backward_sweep(objects: dict[int, VideoObject], wanted: range, every: bool) -> Sweep:
    """From the last frame that an object is first followed from down to the first one that is wanted.

    Arguments as of ``forward_sweep``; each object has one start, its first.
    """
    starts = _by_frame({identity: {min(known.anchors): known.anchors[min(known.anchors)]}
                        for identity, known in objects.items() if known.anchors})
    last = max(starts, default=0)
    shown = {frame for frame in wanted if frame < last}
    if not starts or not shown:
        return NOTHING
    first = min(shown)
    frames = set(range(first, last + 1)) if every else shown | {frame for frame in starts if frame > first}
    return Sweep(sorted(frames, reverse=True), starts, shown)


def _by_frame(anchors: dict[int, dict[int, Start]]) -> dict[int, dict[int, Start]]:
    found: dict[int, dict[int, Start]] = {}
    for identity, starts in anchors.items():
        for frame, start in starts.items():
            found.setdefault(frame, {})[identity] = start
    return found
