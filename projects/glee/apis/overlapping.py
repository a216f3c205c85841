"""Reading before and writing behind what the model works on, in threads of their own, in order."""
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, TypeVar

Item = TypeVar('Item')
_END = object()


def read_ahead(items: Iterable[Item], most: int = 2) -> Iterator[Item]:
    """The items, of which the next ``most`` are made in another thread; what making one raises comes in its place."""
    source, waiting = iter(items), deque()
    with ThreadPoolExecutor(1, 'read-ahead') as thread:
        for _ in range(most):
            waiting.append(thread.submit(next, source, _END))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(thread.submit(next, source, _END))
            yield item


@contextmanager
def writing_behind(most: int = 2) -> Iterator[Callable[..., None]]:
    """Gives a function ``write(call, *args)`` that calls in another thread, one call after the other.

    At most ``most`` calls wait. What a call raises is raised by a later ``write``, or at the end; no call follows it.
    """
    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(1, 'writing-behind') as thread:

        def write(call: Callable[..., Any], *args: Any) -> None:
            while len(waiting) >= most or (waiting and waiting[0].done()):
                waiting.popleft().result()
            waiting.append(thread.submit(_after, list(waiting), call, args))

        try:
            yield write
            while waiting:
                waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _after(before: list[Future], call: Callable[..., Any], args: tuple) -> None:
    if not any(one.cancelled() or one.exception() for one in before):
        call(*args)
