"""Frames of videos: files, folders, lists, cameras and streams."""
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Callable, Collection, Iterator, NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np

from ..datasets.store.pictures import list_pictures, read_picture
from ..datasets.store.video_file import VideoFile

VideoSource = Union[int, str, Path, Sequence[Union[np.ndarray, str, Path]], Iterator[np.ndarray], 'FrameReader']
DEFAULT_FPS = 25.
MOST_LOST = 100  # frames in a row that cannot be read


class FrameReader:
    """Frames of a video as uint8 RGB (H, W, 3), by index.

    Args:
        source: a video file, a folder of pictures (in natural order: 2 before 10, without stray files), or a sequence
            of arrays or of paths.

    Attributes:
        fps (float): of the file; 25 of pictures.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: there is no frame, or a frame cannot be read; it is named.
        IndexError: a frame before the first or behind the last is asked for.
    """

    def __init__(self, source: Union[str, Path, Sequence[Union[np.ndarray, str, Path]]]) -> None:
        self._name, self.fps = 'the video', DEFAULT_FPS
        self.frames = source
        if isinstance(source, (str, Path)):
            self._name, path = str(source), Path(source).expanduser()
            if not path.exists():
                raise FileNotFoundError(f'video {source} does not exist')
            self.frames = list_pictures(path) if path.is_dir() else VideoFile(path)
        if not len(self.frames):
            raise ValueError(f'{self._name} has no frame' + (
                ' that can be read' if isinstance(self.frames, VideoFile) else ''))
        if isinstance(self.frames, VideoFile) and self.frames.fps:
            self.fps = self.frames.fps

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> np.ndarray:
        if not 0 <= index < len(self):
            raise IndexError(f'{self._name} has frames 0 to {len(self) - 1}, not {index}')
        frame, place = self.frames[index], f'frame {index} of {self._name}'
        if isinstance(frame, (str, Path)):
            try:
                return read_picture(frame)
            except (ValueError, OSError) as error:
                raise ValueError(f'frame {index}, {frame}, cannot be read') from error
        if frame is None:
            raise ValueError(f'{place} cannot be read')
        return np.ascontiguousarray(frame)


class VideoFrames(NamedTuple):
    """Frames as they come: ``frames`` yields (number, RGB uint8 (H, W, 3), or the error of one that cannot be read).
    ``fps`` is that of the frames that are asked for; ``length`` their number, None of a camera or generator.
    ``also``: as of ``open_frames``. ``is_asked``: whether a number is of a frame that is asked for, not only read."""
    frames: Iterator[tuple[int, Union[np.ndarray, ValueError]]]
    fps: float
    length: Optional[int]
    also: frozenset[int] = frozenset()
    is_asked: Callable[[int], bool] = lambda number: True


def open_frames(source: VideoSource, start: int = 0, end: Optional[int] = None, stride: int = 1,
                also: Collection[int] = ()) -> VideoFrames:
    """A video to read once, from front to back or, with a negative ``stride``, back to front.

    Args:
        source: as of ``FrameReader``; or a generator of arrays, the number of a camera, or the address of a stream
            (``rtsp://...``), which are read until they end.
        start: first frame, from 0; negative counts from the end.
        end: frame to stop before; None for all.
        stride: take every so many frames.
        also: frames to read on the way although they are not asked for, e.g. since somebody points at something there.

    Raises:
        FileNotFoundError, ValueError: as of ``FrameReader``; or the range holds no frame; or one of ``also`` comes
            behind the last frame that is asked for.
    """
    if stride == 0:
        raise ValueError('stride=0 takes no frame: give 1 or more, or a negative number to go backwards')
    live = isinstance(source, int) or (isinstance(source, str) and '://' in source)
    if live or hasattr(source, '__next__'):
        if start < 0 or (end or 0) < 0 or stride < 0:
            raise ValueError('a camera, stream or generator has no end to count from: start, end and stride must be '
                             'positive')
        frames = camera_frames(source) if live else source
        numbers = count() if end is None else range(end)
        if end is not None:
            _check_reached(also, range(end), f'end={end} stops')

        def is_asked(number: int) -> bool:
            return number >= start and (number - start) % stride == 0

        kept = ((number, frame) for number, frame in zip(numbers, frames) if number in also or is_asked(number))
        return VideoFrames(kept, DEFAULT_FPS / stride, None, frozenset(also), is_asked)
    reader = source if isinstance(source, FrameReader) else FrameReader(source)
    if not -len(reader) <= start < len(reader):
        raise ValueError(f'start={start} lies outside the {len(reader)} frames of the video')
    start = start % len(reader)
    if end is None:
        numbers = range(start, len(reader) if stride > 0 else -1, stride)
    else:
        numbers = range(start, min(end + len(reader) if end < 0 else end, len(reader)), stride)
    if not numbers:
        raise ValueError(f'start={start}, end={end}, stride={stride} hold no frame of {len(reader)}')
    _check_reached(also, range(len(reader)), f'the video has frames 0 to {len(reader) - 1}')
    _check_reached(also, range(numbers[-1] + 1) if stride > 0 else range(numbers[-1], len(reader)),
                   f'start={start}, end={end}, stride={stride} stop at frame {numbers[-1]}')
    order = sorted({*numbers, *also}, reverse=stride < 0)
    return VideoFrames(_read(reader, order),
                       float(Fraction(reader.fps).limit_denominator(1000) / abs(stride)), len(numbers),
                       frozenset(also), numbers.__contains__)


def _check_reached(frames: Collection[int], reached: range, reason: str) -> None:
    lost = sorted(set(frames) - set(reached))
    if lost:
        raise ValueError(f'something is pointed at in frame {lost[0]}, which is never reached: {reason}')


def _read(reader: FrameReader, order: Sequence[int]) -> Iterator[tuple[int, Union[np.ndarray, ValueError]]]:
    """Frames or why they cannot be read; a video file of which nothing comes any more is left."""
    lost = 0
    for number in order:
        try:
            frame, lost = reader[number], 0
        except ValueError as error:
            frame, lost = error, lost + 1
        given_up = lost == MOST_LOST and isinstance(reader.frames, VideoFile)
        yield number, ValueError(f'{frame}, like {lost - 1} before it: the rest is not tried') if given_up else frame
        if given_up:
            return


def camera_frames(source: Union[int, str] = 0) -> Iterator[np.ndarray]:
    """Live frames, uint8 RGB, until they stop.

    Args:
        source: number of a camera, or address of a stream.

    Raises:
        ValueError: it cannot be opened.
    """
    camera = cv2.VideoCapture(source)
    if not camera.isOpened():
        raise ValueError(f'{"camera" if isinstance(source, int) else "stream"} {source} cannot be opened')
    try:
        while (frame := camera.read())[0]:
            yield np.ascontiguousarray(frame[1][..., ::-1])
    finally:
        camera.release()
