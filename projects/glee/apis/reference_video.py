"""Follow the object of a referring picture through a video, frame by frame."""
from typing import Iterable, Iterator, Optional, Union

import numpy as np

from ..models.prompts.reference_prompt import ReferencePrompt
from .interactive_session import InteractiveSession, SessionObject

MEMORIES = ('none', 'prev')


def track_reference(session: InteractiveSession, frames: Iterable[Union[str, np.ndarray]], reference: ReferencePrompt,
                    memory: str = 'none', min_score: float = 0.,
                    memory_score: float = 0.2) -> Iterator[Optional[SessionObject]]:
    """The object in each frame, or None where it is absent; one frame in, one result out.

    Args:
        session: its image is replaced by every frame.
        frames: as of ``InteractiveSession.set_image``.
        reference: the encoded object.
        memory: 'none' asks every frame for the reference alone (SEEM); 'prev' adds to it a quarter of the cosine of
            every query's embedding with the one that is remembered, of the last frame where the object was found.
        min_score: below it, or with an empty mask, the object is absent, and the memory stays as it is.
        memory_score: an object with a lower score is not remembered: a doubtful choice would draw the next ones.

    Raises:
        ValueError: unknown ``memory``.
    """
    if memory not in MEMORIES:
        raise ValueError(f'memory={memory!r} is unknown; choose from {MEMORIES}')
    previous = None
    for frame in frames:
        session.set_image(frame)
        found = session.add(reference=reference, like=previous)
        if found.score < min_score or not found.area:
            yield None
            continue
        if memory == 'prev' and found.score >= memory_score:
            previous = found.embedding
        yield found
