"""The backbone's maps of a few frames of a video, so that a frame that comes again costs no backbone pass."""
from collections import OrderedDict
from typing import Optional

from .session_image import SessionImage


class FrameFeatures:
    """At most ``capacity`` frames; the one that was not used for the longest time makes room.

    Frames that were pointed at stay before those that were only tracked: of a sweep through a video that does not fit,
    the first frames are kept, which are those that the next sweep needs first.

    Args:
        capacity (int): number of frames; 0 keeps nothing.

    Raises:
        ValueError: it is negative.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 0:
            raise ValueError(f'cached_frames={capacity} must be 0 or more')
        self.capacity = capacity
        self._frames: OrderedDict[int, SessionImage] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frames)

    def get(self, frame: int, is_pointed_at: bool) -> Optional[SessionImage]:
        """The frame with its maps, or None."""
        if frame in self._frames and is_pointed_at:
            self._frames.move_to_end(frame)
        return self._frames.get(frame)

    def put(self, frame: int, image: SessionImage, is_pointed_at: bool) -> None:
        """Keep a frame that is not kept yet."""
        if not self.capacity:
            return
        while len(self._frames) >= self.capacity:
            self._frames.popitem(last=False)
        self._frames[frame] = image
        if not is_pointed_at:
            self._frames.move_to_end(frame, last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
