"""Arrays of past frames, in memory up to a window and on disk beyond it."""
import tempfile
from typing import Iterator

import numpy as np


class FrameStore:
    """First in, first out, of per-frame dicts of arrays; old frames go to a file.

    Every frame has the same keys. The file is anonymous: it disappears with the store, also when the process is killed.
    A copy of a store, or one that is loaded from a pickle, has a file of its own.

    Args:
        in_memory (int): most recent frames that stay in memory.
        folder (str | None): where the file lies; None takes the system's folder for temporary files.
    """

    def __init__(self, in_memory: int = 10, folder: str | None = None) -> None:
        self.in_memory = in_memory
        self.folder = folder
        self._file = None
        self._keys: list[str] = []
        self._spilled = 0
        self._recent: list[dict[str, np.ndarray]] = []

    def __getstate__(self) -> dict:
        """Everything, with the bytes of the file in place of the file."""
        content = None
        if self._file is not None:
            self._file.seek(0)
            content = self._file.read()
        return dict(vars(self), _file=content)

    def __setstate__(self, state: dict) -> None:
        content = state['_file']
        vars(self).update(state, _file=None)
        if content is not None:
            self._file = tempfile.TemporaryFile(dir=self.folder)
            self._file.write(content)

    def append(self, **arrays: np.ndarray) -> None:
        """Store one frame."""
        self._recent.append(arrays)
        if len(self._recent) > self.in_memory:
            self._spill(self._recent.pop(0))

    def _spill(self, arrays: dict[str, np.ndarray]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self.folder)
        self._keys = list(arrays)
        for array in arrays.values():
            np.save(self._file, array, allow_pickle=False)
        self._spilled += 1

    def __len__(self) -> int:
        return self._spilled + len(self._recent)

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        """All frames, oldest first; one spilled frame at a time is in memory."""
        if self._file is not None:
            self._file.seek(0)
        for _ in range(self._spilled):
            yield {key: np.load(self._file, allow_pickle=False) for key in self._keys}
        if self._file is not None:
            self._file.seek(0, 2)
        yield from self._recent

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        return sum(array.nbytes for arrays in self._recent for array in arrays.values())

    def close(self) -> None:
        """Drop everything."""
        if self._file is not None:
            self._file.close()
        self._file, self._spilled, self._recent = None, 0, []
