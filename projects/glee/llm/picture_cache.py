"""What was computed of pictures, kept by their content while there is room."""
import hashlib
from collections import OrderedDict
from typing import Callable, TypeVar

import numpy as np
from torch import Tensor

Found = TypeVar('Found', bound=tuple)


class PictureCache:
    """Results of pictures; the one that was not used for the longest time makes room.

    Args:
        megabytes (int): MiB of the tensors kept; 0 keeps nothing.
    """

    def __init__(self, megabytes: int) -> None:
        self.limit, self.used = megabytes * 2**20, 0
        self._found: OrderedDict[bytes, tuple] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def __call__(self, picture: np.ndarray, compute: Callable[[np.ndarray], Found], asked: str = '') -> Found:
        """What ``compute`` makes of an RGB uint8 (H, W, 3) picture: a tuple of tensors and plain values, which depends
        on what was ``asked``, too."""
        if not self.limit:
            return compute(picture)
        key = hashlib.sha1(np.ascontiguousarray(picture)).digest() + repr((picture.shape, asked)).encode()
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        found = self._found[key] = compute(picture)
        self.used += size_of(found)
        while self.used > self.limit:
            self.used -= size_of(self._found.popitem(last=False)[1])
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._found.clear()
        self.used = 0


def size_of(found: tuple) -> int:
    """Bytes of the tensors of a result."""
    return sum(value.numel() * value.element_size() for value in found if isinstance(value, Tensor))
