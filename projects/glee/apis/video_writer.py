"""Videos of rendered frames, and tracks as text and picture files, written frame by frame."""
import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import IO, Optional, Protocol, Union

import cv2
import numpy as np
from mmengine.logging import print_log
from PIL import Image

from ..structures.masks import decode
from ..structures.palette import PALETTE
from .image_result import ImageResult


class FrameWriter(Protocol):
    """Takes the results of a video's frames in order."""

    def write(self, result: ImageResult) -> None:
        """The next frame."""

    def close(self) -> None:
        """No more frames."""


class VideoWriter:
    """An mp4 of pictures of one size: H.264 through PyAV where it is installed, else what OpenCV has, which is said.

    Args:
        path (str | Path): file to write; its folder is made.
        fps (float): frames per second.

    Raises:
        ValueError: a picture has another size than the first one.
    """

    def __init__(self, path: Union[str, Path], fps: float) -> None:
        self.path, self.fps = Path(path), fps
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.size: Optional[tuple[int, int]] = None

    def write(self, picture: np.ndarray) -> None:
        """The next picture, RGB uint8 (H, W, 3); an odd row or column is left out, which H.264 needs."""
        picture = np.ascontiguousarray(picture[:picture.shape[0] // 2 * 2, :picture.shape[1] // 2 * 2])
        if self.size is None:
            self.size = picture.shape[:2]
            self._open()
        if picture.shape[:2] != self.size:
            raise ValueError(f'{self.path}: a picture of {picture.shape[:2]} px after pictures of {self.size} px')
        if self.container is None:
            self.stream.write(picture[..., ::-1])
            return
        for packet in self.stream.encode(self.frame_type.from_ndarray(picture, format='rgb24')):
            self.container.mux(packet)

    def _open(self) -> None:
        try:
            import av
        except ImportError:
            print_log(f'{self.path} is written as MPEG-4, which browsers do not play: for H.264 pip install av',
                      logger='current')
            self.container = None
            self.stream = cv2.VideoWriter(str(self.path), cv2.VideoWriter_fourcc(*'mp4v'), self.fps, self.size[::-1])
            if not self.stream.isOpened():
                raise ValueError(f'{self.path} cannot be written as a video: use a name that ends in .mp4') from None
            return
        self.frame_type = av.VideoFrame
        self.container = av.open(str(self.path), 'w')
        self.stream = self.container.add_stream('h264', rate=Fraction(self.fps).limit_denominator(1000))
        self.stream.height, self.stream.width = self.size
        self.stream.pix_fmt = 'yuv420p'
        self.stream.options = {'crf': '20'}

    def close(self) -> None:
        """Finish the file."""
        if self.size is None:
            return
        if self.container is None:
            self.stream.release()
            return
        for packet in self.stream.encode():
            self.container.mux(packet)
        self.container.close()


class JsonTracks:
    """One JSON object per frame, in a list: frame, size, and id, name, score, box xyxy px and mask RLE of objects."""

    def __init__(self, path: Union[str, Path]) -> None:
        self.file: IO[str] = open(path, 'w', encoding='utf-8')
        self.file.write('[')
        self.separator = '\n'

    def write(self, result: ImageResult) -> None:
        """See ``FrameWriter``."""
        self.file.write(self.separator + json.dumps(result.to_dict(), ensure_ascii=False))
        self.separator = ',\n'

    def close(self) -> None:
        """See ``FrameWriter``."""
        self.file.write('\n]\n')
        self.file.close()


class CsvTracks:
    """A row per object and frame: frame, id, name, score, x1, y1, x2, y2 (px), area (px of the mask)."""

    COLUMNS = ('frame', 'id', 'name', 'score', 'x1', 'y1', 'x2', 'y2', 'area')

    def __init__(self, path: Union[str, Path]) -> None:
        self.file = open(path, 'w', encoding='utf-8', newline='')
        self.rows = csv.writer(self.file)
        self.rows.writerow(self.COLUMNS)

    def write(self, result: ImageResult) -> None:
        """See ``FrameWriter``."""
        for identity, name, score, box, rle in zip(result.ids, result.names, result.scores, result.boxes, result.rles):
            self.rows.writerow([result.frame, int(identity), name, round(float(score), 4),
                                *(round(float(value), 2) for value in box), int(decode(rle).sum())])

    def close(self) -> None:
        """See ``FrameWriter``."""
        self.file.close()


class MotTracks:
    """MOTChallenge's text: frame from 1, id, left, top, width, height (px), score, -1, -1, -1."""

    def __init__(self, path: Union[str, Path]) -> None:
        self.file = open(path, 'w', encoding='utf-8')

    def write(self, result: ImageResult) -> None:
        """See ``FrameWriter``."""
        for identity, score, (x1, y1, x2, y2) in zip(result.ids, result.scores, result.boxes):
            values = ','.join(f'{value:.2f}' for value in (x1, y1, x2 - x1, y2 - y1))
            self.file.write(f'{result.frame + 1},{int(identity)},{values},{score:.4f},-1,-1,-1\n')

    def close(self) -> None:
        """See ``FrameWriter``."""
        self.file.close()


class MaskTracks:
    """A palette PNG of identities per frame, ``00000.png`` onwards, as DAVIS has them; the first object lies on top.

    Raises:
        ValueError: an identity above 255, which such a file cannot hold.
    """

    def __init__(self, folder: Union[str, Path]) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, result: ImageResult) -> None:
        """See ``FrameWriter``."""
        numbers = np.zeros(result.shape, np.uint8)
        for identity, rle in reversed(list(zip(result.ids.tolist(), result.rles))):
            if identity > 255:
                raise ValueError(f'{self.folder}: object {identity} does not fit into PNG files of 255 identities: '
                                 'write JSON')
            numbers[decode(rle)] = identity
        picture = Image.fromarray(numbers)
        picture.putpalette(PALETTE)
        picture.save(self.folder / f'{result.frame:05d}.png')

    def close(self) -> None:
        """See ``FrameWriter``."""
