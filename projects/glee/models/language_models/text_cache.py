"""A small cache of text features that forgets everything once the weights changed."""
from collections import OrderedDict
from typing import Hashable, Iterable, Optional, Tuple

import torch
from torch import Tensor


def weights_stamp(parameters: Iterable[Tensor]) -> Tuple:
    """A value that differs after any in-place change, replacement or move of ``parameters``.

    It also holds what else decides a computed feature or its use: autocast and inference mode
    (a tensor made in inference mode cannot take part in a later backward pass).
    """
    parameters = tuple(parameters)
    device = parameters[0].device.type
    autocast = torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device)
    versions = tuple((p.data_ptr(), p._version, p.dtype) for p in parameters)
    return autocast, torch.is_inference_mode_enabled(), versions


class TextCache:
    """The ``size`` most recently used entries that were computed under the current stamp."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.stamp: Optional[Tuple] = None
        self.entries: OrderedDict = OrderedDict()

    def refresh(self, stamp: Tuple) -> bool:
        """Forget everything if ``stamp`` is not the one that the entries were made under.

        Returns:
            Whether it was another one.
        """
        changed = stamp != self.stamp
        if changed:
            self.clear()
            self.stamp = stamp
        return changed

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()

    def get(self, key: Hashable):
        """The entry of ``key``, or None."""
        if key in self.entries:
            self.entries.move_to_end(key)
        return self.entries.get(key)

    def put(self, key: Hashable, value) -> None:
        """Add an entry and drop the ones that were not used for the longest time."""
        self.entries[key] = value
        while len(self.entries) > self.size:
            self.entries.popitem(last=False)
