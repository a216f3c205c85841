"""RLE masks that stay encoded through flips, resizes and crops."""
from typing import List, Optional, Tuple

import numpy as np
from mmdet.structures.mask import BitmapMasks
from mmdet.structures.mask.structures import BaseInstanceMasks
from PIL import Image

from ...structures.masks import decode


def _resized(indices: np.ndarray, length: int) -> np.ndarray:
    """Indices after pillow's nearest-neighbour resize of a line to ``length``."""
    line = Image.fromarray(indices.astype(np.int32)[None])
    return np.asarray(line.resize((length, 1), Image.Resampling.NEAREST))[0]


class LazyMasks(BaseInstanceMasks):
    """N masks of one image as RLE, and which row and column of them each output pixel shows.

    Flip, nearest resize, crop and padding pick rows and columns, so they only change the two index
    lists; :meth:`to_bitmap` decodes one mask at a time and picks. A stack of masks exists at the
    final size alone, never at that of the picture, and masks that a crop drops are never decoded.
    The numbers are those of doing the same steps on bitmaps with pillow.

    Args:
        rles (list[dict]): N compressed RLEs of the picture.
        height (int), width (int): size of the output, px.
        rows, columns (ndarray, optional): (height,) and (width,) indices into the picture, -1 for
            padding; None shows the whole picture.
    """

    def __init__(self, rles: List[dict], height: int, width: int,
                 rows: Optional[np.ndarray] = None, columns: Optional[np.ndarray] = None) -> None:
        self.rles, self.height, self.width = list(rles), height, width
        self.rows = np.arange(height) if rows is None else rows
        self.columns = np.arange(width) if columns is None else columns

    def _with(self, rows: np.ndarray, columns: np.ndarray) -> 'LazyMasks':
        return LazyMasks(self.rles, len(rows), len(columns), rows, columns)

    def __len__(self) -> int:
        """N."""
        return len(self.rles)

    def __getitem__(self, index) -> 'LazyMasks':
        """Some of the masks, by anything that indexes an array."""
        chosen = np.atleast_1d(np.arange(len(self))[index])
        return LazyMasks([self.rles[i] for i in chosen], self.height, self.width, self.rows,
                         self.columns)

    def to_ndarray(self) -> np.ndarray:
        """Decode: (N, height, width) uint8."""
        masks = np.zeros((len(self), self.height, self.width), np.uint8)
        # the decoded array is column-major, so columns are picked first
        pick = np.ix_(self.columns, self.rows)
        padded = (self.columns < 0)[:, None] | (self.rows < 0)
        for mask, rle in zip(masks, self.rles):
            decoded = decode(rle).T[pick]
            decoded[padded] = False
            mask[:] = decoded.T
        return masks

    def to_bitmap(self) -> BitmapMasks:
        """Decode to mmdet's masks."""
        return BitmapMasks(self.to_ndarray(), self.height, self.width)

    def to_tensor(self, dtype, device):
        """Decode to a tensor (N, height, width)."""
        return self.to_bitmap().to_tensor(dtype, device)

    @property
    def areas(self) -> np.ndarray:
        """(N,) pixels of each mask; decodes."""
        return self.to_bitmap().areas

    def resize(self, out_shape: Tuple[int, int], interpolation: str = 'nearest') -> 'LazyMasks':
        """To (height, width); always nearest, at pixel centres."""
        return self._with(_resized(self.rows, out_shape[0]), _resized(self.columns, out_shape[1]))

    def rescale(self, scale, interpolation: str = 'nearest') -> 'LazyMasks':
        """By a factor, or as large as fits into (long, short)."""
        if not isinstance(scale, (int, float)):
            scale = min(max(scale) / max(self.height, self.width),
                        min(scale) / min(self.height, self.width))
        return self.resize((int(self.height * scale + 0.5), int(self.width * scale + 0.5)))

    def flip(self, flip_direction: str = 'horizontal') -> 'LazyMasks':
        """'horizontal', 'vertical' or 'diagonal'."""
        rows = self.rows[::-1] if flip_direction in ('vertical', 'diagonal') else self.rows
        columns = self.columns[::-1] if flip_direction in ('horizontal', 'diagonal') else self.columns
        return self._with(rows, columns)

    def crop(self, bbox: np.ndarray) -> 'LazyMasks':
        """To xyxy (px), clipped to the picture, at least one pixel."""
        x1, y1, x2, y2 = np.asarray(bbox).round().astype(int)
        x1, y1 = max(x1, 0), max(y1, 0)
        x2, y2 = max(min(x2, self.width), x1 + 1), max(min(y2, self.height), y1 + 1)
        return self._with(self.rows[y1:y2], self.columns[x1:x2])

    def pad(self, out_shape: Tuple[int, int], pad_val: int = 0) -> 'LazyMasks':
        """With background at the right and the bottom."""
        if pad_val != 0:
            raise ValueError(f'LazyMasks pad with background only, not with {pad_val}')
        return self._with(
            np.pad(self.rows, (0, out_shape[0] - self.height), constant_values=-1),
            np.pad(self.columns, (0, out_shape[1] - self.width), constant_values=-1))

    def expand(self, expanded_h: int, expanded_w: int, top: int, left: int) -> 'LazyMasks':
        """Into a larger picture at (top, left)."""
        return self._with(
            np.pad(self.rows, (top, expanded_h - top - self.height), constant_values=-1),
            np.pad(self.columns, (left, expanded_w - left - self.width), constant_values=-1))

    def crop_and_resize(self, *args, **kwargs) -> BitmapMasks:
        """As bitmaps do."""
        return self.to_bitmap().crop_and_resize(*args, **kwargs)

    def translate(self, *args, **kwargs) -> BitmapMasks:
        """As bitmaps do."""
        return self.to_bitmap().translate(*args, **kwargs)

    def shear(self, *args, **kwargs) -> BitmapMasks:
        """As bitmaps do."""
        return self.to_bitmap().shear(*args, **kwargs)

    def rotate(self, *args, **kwargs) -> BitmapMasks:
        """As bitmaps do."""
        return self.to_bitmap().rotate(*args, **kwargs)

    def get_bboxes(self, dst_type: str = 'hbb'):
        """Boxes around the masks; decodes."""
        return self.to_bitmap().get_bboxes(dst_type)

    @classmethod
    def cat(cls, masks: List['LazyMasks']) -> BitmapMasks:
        """Decoded and put one after another."""
        return BitmapMasks.cat([part.to_bitmap() for part in masks])
