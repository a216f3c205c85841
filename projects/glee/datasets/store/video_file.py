"""Frames of a video file by number, also where the file lies about itself."""
from pathlib import Path
from typing import Optional, Union

import cv2
import numpy as np

_FASTEST = 1000.  # frames per second that are believed


class VideoFile:
    """Reads frames with OpenCV, one after the other or anywhere.

    Args:
        path (str | Path): a video file.

    Attributes:
        fps (float | None): None where the file says nothing that can be.
    """

    def __init__(self, path: Union[str, Path]) -> None:
        self._path = str(path)
        self._file = cv2.VideoCapture(self._path)
        self._next: Optional[int] = 0  # what is read next; None where a damaged file left it unknown
        fps, count = self._file.get(cv2.CAP_PROP_FPS), self._file.get(cv2.CAP_PROP_FRAME_COUNT)
        self.fps = fps if 0 < fps <= _FASTEST else None
        # no codec packs a frame into less than a byte
        self._count = int(count) if 0 < count <= Path(path).stat().st_size else self._counted()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Optional[np.ndarray]:
        """RGB uint8 (H, W, 3) of a frame from 0; None if it cannot be read."""
        if index != self._next and not self._seek(index):
            self._next = None
            return None
        found, frame = self._file.read()
        self._next = index + 1 if found else None
        return np.ascontiguousarray(frame[..., ::-1]) if found else None

    def _seek(self, index: int) -> bool:
        """Make ``index`` the next frame; whether that went well."""
        self._file.set(cv2.CAP_PROP_POS_FRAMES, index)
        place = self._file.get(cv2.CAP_PROP_POS_FRAMES)
        if not 0 <= place <= index:  # nonsense, or past it
            self._file.release()
            self._file, place = cv2.VideoCapture(self._path), 0
        return all(self._file.grab() for _ in range(index - int(place)))

    def _counted(self) -> int:
        """Frames that can be read from the start."""
        count = 0
        while self._file.grab():
            count += 1
        self._file.release()
        self._file = cv2.VideoCapture(self._path)
        return count
