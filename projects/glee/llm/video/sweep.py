"""One expression through a whole video: from a key frame forwards and then backwards (GLUS)."""
from typing import Iterator, NamedTuple, Optional, Sequence

import numpy as np

from ..dialogue import PointedObject
from .frame_reasoner import FrameAnswer, FrameReasoner
from .frame_sampler import context_frames
from .video_segmentor import VideoReasoningSegmentor


class Sweep(NamedTuple):
    """What was found: an answer per frame, the key frame, and the scores [T] it was chosen by, if it was."""
    answers: list[FrameAnswer]
    key_frame: int
    key_scores: Optional[list[float]]


def passes(length: int, key_frame: int) -> Iterator[range]:
    """Frames in the order of the passes: forwards to the end, then backwards to the start; each begins at the key
    frame, which keeps what the backward pass finds. From frame 0 there is one pass only.

    Raises:
        ValueError: the key frame is not in the video.
    """
    if not 0 <= key_frame < length:
        raise ValueError(f'key frame {key_frame} is not in a video of {length} frames')
    yield range(key_frame, length)
    if key_frame:
        yield range(key_frame, -1, -1)


def sweep(model: VideoReasoningSegmentor, frames: Sequence[np.ndarray], expression: str, scorer=None,
          key: Optional[tuple[str, str]] = None, pointed: Sequence[Optional[PointedObject]] = ()) -> Sweep:
    """Masks of an expression in all frames.

    Args:
        model (VideoReasoningSegmentor): in eval mode.
        frames (Sequence[np.ndarray]): RGB uint8 (H, W, 3), any sequence that reads them when they are asked for.
        expression (str): what is sought.
        scorer (KeyFrameScorer | None): chooses the key frame, the earliest of the best; None takes frame 0.
        key (tuple[str, str] | None): names of video and expression, for scorers that look them up.
        pointed (Sequence[PointedObject | None]): as of ``FrameReasoner``.
    """
    length = len(frames)
    scores = None if scorer is None else [float(score) for score in scorer(frames, expression, key)]
    start = 0 if scores is None else int(np.argmax(scores))
    context = [frames[number] for number in context_frames(length, model.context)]
    answers: list[Optional[FrameAnswer]] = [None] * length
    for part in passes(length, start):
        reasoner = FrameReasoner(model, expression, context, pointed=pointed)  # a fresh dialogue and an empty memory
        for number in part:
            answers[number] = reasoner.step(frames[number])
    return Sweep(answers, start, scores)
