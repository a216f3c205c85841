"""Which earlier frames the memory bank shows at a frame (GLUS, after SAM 2)."""

SLOTS, STRIDE = 7, 3


def remembered(frame: int, stride: int = STRIDE, slots: int = SLOTS) -> list[int]:
    """Frames that ``frame`` remembers, the latest first: the one before it, then every ``stride``-th.

    Frames count from the start of the pass; ``stride`` is 1 in training.
    """
    last = (frame - 2) // stride * stride
    wanted = [frame - 1, *(last - step * stride for step in range(slots - 1))]
    return [one for one in dict.fromkeys(wanted) if one >= 0]


def forgotten(frame: int, stride: int = STRIDE, slots: int = SLOTS) -> int:
    """Frames below this one are not remembered at ``frame`` nor ever after."""
    return (frame - 2) // stride * stride - (slots - 2) * stride
