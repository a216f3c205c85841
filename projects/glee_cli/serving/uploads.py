"""Pictures and videos that users send; what is refused is said in a line that names no folder."""
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Union

import cv2
import numpy as np

from projects.glee.apis.frame_reader import FrameReader
from projects.glee.datasets.store.pictures import picture_size, read_picture

from .limits import Limits


@contextmanager
def told_by_name(path: Union[str, Path], name: str) -> Iterator[None]:
    """Errors about a file as ValueError of one line, with ``name`` in the place of its path."""
    try:
        yield
    except (ValueError, OSError) as error:
        # a quoted path may be spelled otherwise (a line break in a name): its folder goes in any case
        told = str(error).replace(str(path), name).replace(f'{Path(path).parent}/', '')
        raise ValueError(' '.join(told.split())) from error


def check_size(path: Union[str, Path], limits: Limits, name: str) -> None:
    """ValueError if the file is too large."""
    megabytes = Path(path).stat().st_size / 2**20
    if megabytes > limits.megabytes:
        raise ValueError(f'{name} has {megabytes:.0f} MB, more than the {limits.megabytes:g} MB that are taken')


def read_upload(path: Union[str, Path], limits: Limits, name: Union[str, None] = None) -> np.ndarray:
    """A picture that a user sent, uint8 RGB (H, W, 3); its size is looked at before its pixels are.

    Args:
        path: the file.
        limits: how large it may be.
        name: what the user calls it; by default the last part of the path.

    Raises:
        ValueError: it is no picture, damaged or too large.
    """
    name = name or Path(path).name
    with told_by_name(path, name):
        check_size(path, limits, name)
        height, width = picture_size(path)
        if height * width > limits.megapixels * 1e6:
            raise ValueError(f'{name} has {width} x {height} px, more than the {limits.megapixels:g} megapixels that '
                             'are taken: make it smaller')
        return read_picture(path)


class ShortVideo:
    """The first frames of a video that a user sent, shrunk, as a sequence of uint8 RGB (H, W, 3).

    Args:
        path: a video file, or a folder of frames.
        limits: how much of it is taken.
        name: what the user calls it; by default the last part of the path.

    Raises:
        ValueError: there is no frame, or the file is too large.

    Attributes:
        fps: frames per second of a file, else 25.
        left_out: number of frames.
    """

    def __init__(self, path: Union[str, Path], limits: Limits, name: Union[str, None] = None) -> None:
        self._path, self._side = str(path), limits.side
        self.name = name or Path(path).name
        with told_by_name(path, self.name):
            if Path(path).is_file():
                check_size(path, limits, self.name)
            self._reader = FrameReader(path)
        self.fps = self._reader.fps
        self._count = min(len(self._reader), limits.frames, max(int(limits.seconds * self.fps), 1))
        self.left_out = len(self._reader) - self._count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> np.ndarray:
        if not 0 <= index < self._count:
            raise IndexError(f'frame {index} of {self._count}')
        with told_by_name(self._path, self.name):
            frame = self._reader[index]
        factor = self._side / max(frame.shape[:2])
        if factor >= 1:
            return frame
        height, width = (max(round(side * factor), 1) for side in frame.shape[:2])
        return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)

    @property
    def note(self) -> str:
        """What is said about its length."""
        rest = f'; the last {self.left_out} were left out' if self.left_out else ''
        return f'{self._count} frames, {self._count / self.fps:.1f} s{rest}'
