"""Tracks of a video as text and picture files, written frame by frame."""
import csv
import json
from pathlib import Path
from typing import IO, Protocol, Union

import numpy as np
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


class JsonTracks:
    """One JSON object per frame, in a list: frame, size, and id, name, score, box xyxy px and mask RLE of objects."""

    def __init__(self, path: Union[str, Path]) -> None:
        self.file: IO[str] = open(path, 'w', encoding='utf-8', errors='backslashreplace')
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
        self.file = open(path, 'w', encoding='utf-8', errors='backslashreplace')

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
        ValueError: an identity above 254: 255 is void in such files.
    """

    def __init__(self, folder: Union[str, Path]) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, result: ImageResult) -> None:
        """See ``FrameWriter``."""
        numbers = np.zeros(result.shape, np.uint8)
        for identity, rle in reversed(list(zip(result.ids.tolist(), result.rles))):
            if identity > 254:
                raise ValueError(f'{self.folder}: object {identity} does not fit into PNG files of 254 identities: '
                                 'write JSON')
            numbers[decode(rle)] = identity
        picture = Image.fromarray(numbers)
        picture.putpalette(PALETTE)
        picture.save(self.folder / f'{result.frame:05d}.png')

    def close(self) -> None:
        """See ``FrameWriter``."""
