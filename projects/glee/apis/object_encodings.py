"""Which encoded pixels an object of a session is decoded from: its own, those of an earlier round, or shared ones."""
from collections import deque
from dataclasses import dataclass, field
from typing import Optional
from weakref import ref

from ..models.prompts.reference_prompt import ReferencePrompt
from ..structures.pixel_features import PixelFeatures
from .user_prompt import UserPrompt

FIRST = ('exact', 'shared')
REFINE = ('exact', 'decoder')


@dataclass(eq=False)
class ObjectEncoding:
    """The pixels as they were encoded for an object, and what else than marks they read then.

    ``pixels``: a batch of one; None once there was no room for them.
    """
    pixels: Optional[PixelFeatures] = field(repr=False)
    text: Optional[str] = None
    reference: Optional[ReferencePrompt] = field(default=None, repr=False)


class ObjectEncodings:
    """Chooses and keeps encoded pixels (pixel decoder with early fusion), the dear part of a round.

    They live as long as the rounds that hold them, but not more than ``capacity`` at a time: the ones that were not
    used for the longest time make room, and their object is encoded anew in its next round.

    Args:
        first (str): 'exact', or 'shared': objects that only pixels point at, without a text or reference, are decoded
            in their first round from pixels that were encoded once for the image, without any template.
        refine (str): 'exact', or 'decoder': later rounds are decoded from the pixels of the object's first round, or
            of the last one that brought another text or reference.
        capacity (int): encodings kept at a time.

    Raises:
        ValueError: one of them is out of range.
    """

    def __init__(self, first: str, refine: str, capacity: int) -> None:
        for key, value, choices in (('first', first, FIRST), ('refine', refine, REFINE)):
            if value not in choices:
                raise ValueError(f'{key}={value!r} is unknown; choose from {choices}')
        if capacity < 1:
            raise ValueError(f'kept_objects={capacity} must be 1 or more')
        self.first = first
        self.refine = refine
        self.capacity = capacity
        self._recent: deque[ref[ObjectEncoding]] = deque()  # the last used comes last

    def is_shared(self, prompt: UserPrompt, is_later: bool) -> bool:
        """Whether an object is decoded from the pixels that the objects of the image share."""
        return (self.first == 'shared' and (not is_later or self.refine == 'decoder') and prompt.kind is not None
                and prompt.text is None and prompt.reference is None)

    def earlier(self, prompt: UserPrompt, encoding: Optional[ObjectEncoding]) -> Optional[PixelFeatures]:
        """Pixels of an earlier round that serve a later one; None if the object is encoded anew."""
        if (self.refine == 'exact' or encoding is None or encoding.pixels is None
                or encoding.text != prompt.text or encoding.reference is not prompt.reference):
            return None
        self._use(encoding)
        return encoding.pixels

    def keep(self, prompt: UserPrompt, pixels: PixelFeatures, is_later: bool) -> Optional[ObjectEncoding]:
        """Keep what was encoded for a prompt, if later rounds read it."""
        if self.refine == 'exact' or self.is_shared(prompt, is_later):
            return None
        encoding = ObjectEncoding(pixels.owned(), prompt.text, prompt.reference)
        self._use(encoding)
        return encoding

    def _use(self, encoding: ObjectEncoding) -> None:
        """Make it the last used, and let go of the first ones beyond the capacity."""
        alive = [each for each in self._recent if each() not in (None, encoding)] + [ref(encoding)]
        for each in alive[:-self.capacity]:
            forgotten = each()
            if forgotten is not None:
                forgotten.pixels = None
        self._recent = deque(alive[-self.capacity:])
