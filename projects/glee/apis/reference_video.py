"""Follow the object of a referring picture through a video, frame by frame."""
from typing import Iterable, Iterator, Optional, Union

import numpy as np

from ..models import ReferencePrompt
from .interactive_session import InteractiveSession, SessionObject

MEMORIES = ('none', 'prev')


def track_reference(session: InteractiveSession, frames: Iterable[Union[str, np.ndarray]], reference: ReferencePrompt,
                    memory: str = 'none', min_score: float = 0.) -> Iterator[Optional[SessionObject]]:
    """The object in each frame, or None where it is absent; one frame in, one result out.

    Args:
        session: its image is replaced by every frame.
        frames: as of ``InteractiveSession.set_image``.
        reference: the encoded object.
        memory: 'none' asks every frame for the reference alone (SEEM); 'prev' asks for the object as it
            looked in the last frame where it was found.
        min_score: below it the object is absent, and the memory stays as it is.

    Raises:
        ValueError: unknown ``memory``.
    """
    if memory not in MEMORIES:
        raise ValueError(f'memory={memory!r} is unknown; choose from {MEMORIES}')
    for frame in frames:
        session.set_image(frame)
        found = session.add(reference=reference)
        if found.score < min_score or not found.mask.any():
            yield None
            continue
        if memory == 'prev':
            reference = session.encode_reference(mask=found.mask)
        yield found
