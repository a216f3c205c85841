"""What every program of ours sets before it imports torch."""
import ctypes
import os
import warnings
from contextlib import contextmanager
from typing import Iterator, Optional

# Of other packages, about their own future: nobody who runs a program of ours can act on them.
_KNOWN = (
    'torch.meshgrid: in an upcoming release',  # windows of mmdet's Swin, priors of its detectors
    r'`torch\.cuda\.amp\.',  # mmengine's wrappers
    "__array__ implementation doesn't accept a copy keyword",  # pycocotools under numpy 2
    '.*torch.jit.*',
)


# glibc's names of its settings (malloc.h), which variables of the environment set too
_MALLOC = dict(MALLOC_TRIM_THRESHOLD_=-1, MALLOC_MMAP_THRESHOLD_=-3)
_KEPT_BYTES = 2**29


def keep_freed_memory() -> bool:
    """Let the allocator use freed memory of up to 512 MiB again instead of handing it back to the system.

    By default glibc maps every tensor above 32 MiB anew, and the system clears its pages. It is left alone where the
    user has set it (docs/speed.md), and other C libraries have no such setting.

    Returns:
        bool: whether it was set.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None) if os.name == 'posix' else None
    if mallopt is None or 'GLIBC_TUNABLES' in os.environ or any(name in os.environ for name in _MALLOC):
        return False
    return all([mallopt(setting, _KEPT_BYTES) for setting in _MALLOC.values()])


@contextmanager
def program() -> Iterator[None]:
    """Settings of the whole program; to be entered before torch is imported.

    Idle threads sleep (``OMP_WAIT_POLICY``, docs/training.md), unless the user has set that; freed memory is kept
    (``keep_freed_memory``); known warnings of other packages are left out, the rest are one line each.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    keep_freed_memory()
    with warnings.catch_warnings():
        for message in _KNOWN:
            warnings.filterwarnings('ignore', message=message)
        before, warnings.formatwarning = warnings.formatwarning, _one_line
        try:
            yield
        finally:
            warnings.formatwarning = before


def _one_line(message: Warning, category: type, filename: str, lineno: int, line: Optional[str] = None) -> str:
    return f'warning: {message}\n'
