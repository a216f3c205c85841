"""Which frames of a video the language model sees: a few of all of it, and a window of neighbours (GLUS)."""
import math

import numpy as np

CONTEXT = 4  # frames of the whole video
WINDOW = 4  # neighbours, the asked one last


def context_frames(length: int, count: int = CONTEXT) -> list[int]:
    """Frames of the context at test: one near the middle of each of ``count`` equal parts.

    A video with fewer frames than parts repeats some; without parts there is no context.

    Raises:
        ValueError: the video has no frame.
    """
    if length < 1:
        raise ValueError(f'a video of {length} frames has no context')
    edges = np.linspace(0, length, count + 1).astype(int).tolist()
    middle = math.ceil(length / max(count, 1)) // 2
    return [max(min(start + middle, end - 1), 0) for start, end in zip(edges, edges[1:])]


def past_context(frame: int, count: int = CONTEXT) -> list[int]:
    """The same of a live video, of which only frames up to ``frame`` are known."""
    return context_frames(frame + 1, count)


def sample_context(length: int, rng: np.random.Generator, count: int = CONTEXT) -> list[int]:
    """Frames of the context in training: one at random of each of ``count`` equal parts."""
    edges = np.linspace(0, length, count + 1).astype(int).tolist()
    return [int(rng.integers(start, max(end, start + 1))) if start < length else length - 1
            for start, end in zip(edges, edges[1:])]


def sample_window(length: int, rng: np.random.Generator, size: int = WINDOW) -> list[int]:
    """Consecutive frames from a random start.

    Raises:
        ValueError: the video is shorter.
    """
    if length < size:
        raise ValueError(f'a video of {length} frames has no window of {size}')
    start = int(rng.integers(length - size + 1))
    return list(range(start, start + size))
