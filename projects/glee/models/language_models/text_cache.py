"""A small cache of text features that forgets everything once the weights changed."""
from collections import OrderedDict
from typing import Hashable, Iterable, Optional, Tuple

import torch
from torch import Tensor


def weights_stamp(parameters: Iterable[Tensor]) -> Tuple:
    """A value that differs after any in-place change, replacement or move of ``parameters``.

    It also holds what else decides a computed feature or its use: autocast and inference mode
    (a tensor made in inference mode cannot take part in a later backward pass). Parameters made in inference mode
    count no changes; a change of theirs in place shows by no stamp.
    """
    parameters = tuple(parameters)
    device = parameters[0].device.type
    autocast = torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device)
    versions = tuple((p.data_ptr(), None if p.is_inference() else p._version, p.dtype) for p in parameters)
    return autocast, torch.is_inference_mode_enabled(), versions


class TextCache:
    """The most recently used entries that were computed under the current stamp; a copy of a cache is empty.

    Args:
        max_bytes (int): most memory of all entries together; the latest one stays even if it is larger.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self.stamp: Optional[Tuple] = None
        self.entries: OrderedDict = OrderedDict()

    def __reduce__(self) -> Tuple:
        return TextCache, (self.max_bytes, )

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
        self.num_bytes = 0

    def get(self, key: Hashable):
        """The entry of ``key``, or None."""
        if key in self.entries:
            self.entries.move_to_end(key)
        return self.entries.get(key)

    def put(self, key: Hashable, value: Iterable) -> None:
        """Add an entry and drop the ones that were not used for the longest time.

        Args:
            key (Hashable): what it is the entry of; it must not have one yet.
            value (Iterable): its tensors, each with a storage of its own, may stand beside plain values.
        """
        self.entries[key] = value
        self.num_bytes += _num_bytes(value)
        while self.num_bytes > self.max_bytes and len(self.entries) > 1:
            self.num_bytes -= _num_bytes(self.entries.popitem(last=False)[1])


def _num_bytes(values: Iterable) -> int:
    return sum(value.nbytes for value in values if isinstance(value, Tensor))
