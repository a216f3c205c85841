"""One model, many users: each waits for one step of the others, never for a whole video."""
import threading
from collections import deque
from typing import Iterator, TypeVar

Item = TypeVar('Item')


class Turns:
    """A lock that is given in the order in which it was asked for.

    Example:
        >>> turns = Turns()
        >>> with turns:
        ...     glee('street.jpg', names='car')
        >>> for frame in turns.each(session.track()):  # others come in between two frames
        ...     print(frame)
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._line: deque[threading.Event] = deque()  # the first one has the turn

    def __enter__(self) -> None:
        mine = threading.Event()
        with self._guard:
            self._line.append(mine)
            if len(self._line) == 1:
                mine.set()
        mine.wait()

    def __exit__(self, *_) -> None:
        with self._guard:
            self._line.popleft()
            if self._line:
                self._line[0].set()

    def each(self, steps: Iterator[Item]) -> Iterator[Item]:
        """The items of an iterator, each computed in a turn of its own."""
        while True:
            with self:
                try:
                    item = next(steps)
                except StopIteration:
                    return
            yield item
