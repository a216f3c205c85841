"""What every program of ours sets before it imports torch."""
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


@contextmanager
def program() -> Iterator[None]:
    """Settings of the whole program; to be entered before torch is imported.

    Idle threads sleep (``OMP_WAIT_POLICY``, docs/training.md), unless the user has set that; known warnings of other
    packages are left out, the rest are one line each.
    """
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
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
