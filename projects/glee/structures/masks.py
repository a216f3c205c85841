"""Masks as COCO writes them, run-length codes and polygons; pycocotools is called here and nowhere else.

Between the rooms a mask is either polygons, [[x1, y1, x2, y2, ...], ...] in px, or an ``Rle``,
dict(size=[height, width], counts=text). What comes out of a file passes through :func:`read_mask` first: pycocotools
trusts its input, and a number that it does not expect costs gigabytes or ends the process.
"""
import math
import re
from itertools import chain
from typing import Any, Sequence

import cv2
import numpy as np
from pycocotools import mask as mask_utils

from .row_values import BrokenRow, integer, number, reach

Rle = dict
MAX_OUTLINE = 1_000_000  # px of a polygon's outline; pycocotools takes 80 bytes for each
LARGE = 2**20  # px of a mask of which only the columns that have a pixel are encoded
_LISTS = (list, tuple, np.ndarray)
_PLAIN = frozenset((int, float))
_LETTERS = re.compile(rb'(?:[P-o]{0,5}[0-O])+')  # of runs: six letters with five bits each are enough for any image


# ---- what a file says ----
def read_mask(segmentation: Any, height: int, width: int) -> list[list[float]] | Rle:
    """A segmentation of an image of this size, checked.

    Args:
        segmentation: polygons; one polygon as a flat list of numbers; either with [x, y] pairs instead of numbers; or
            an RLE whose counts are a list, text or bytes.

    Returns:
        list[list[float]] | Rle: the polygons that have three points or more, or the RLE, of which nothing may be set.

    Raises:
        BrokenRow: the reason why it is no mask of such an image.
    """
    if isinstance(segmentation, _LISTS):
        return _read_polygons(segmentation, height, width)
    if isinstance(segmentation, dict):
        return _read_rle(segmentation, height, width)
    raise BrokenRow('mask that is neither polygons nor RLE')


def usable_mask(segmentation: Any, height: int, width: int) -> list[list[float]] | Rle:
    """:func:`read_mask` for training.

    Raises:
        BrokenRow: also for an RLE without a pixel.
    """
    mask = read_mask(segmentation, height, width)
    if isinstance(mask, dict) and not area(mask):
        raise BrokenRow('empty RLE')
    return mask


def to_rle(segmentation: Any, height: int, width: int) -> Rle:
    """The RLE of a segmentation as :func:`read_mask` takes it; polygons are rasterised.

    Raises:
        BrokenRow: see there.
    """
    mask = read_mask(segmentation, height, width)
    return mask if isinstance(mask, dict) else polygons_to_rle(mask, height, width)


def _read_polygons(segmentation: Sequence, height: int, width: int) -> list[list[float]]:
    rings = [ring for ring in _rings(segmentation) if len(ring) >= 6 and len(ring) % 2 == 0]
    if not rings:
        raise BrokenRow('polygon with fewer than 3 points')
    rings = [ring if _PLAIN.issuperset(map(type, ring)) else [number(value, 'polygon') for value in ring]
             for ring in rings]
    try:
        values = np.array(rings[0] if len(rings) == 1 else list(chain(*rings)), float)
    except OverflowError as error:  # a whole number beyond all floats
        raise BrokenRow('polygon that is not finite') from error
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(low + high):
        raise BrokenRow('polygon that is not finite')
    lowest, highest = reach(width, height)
    if low < lowest or high > highest:
        raise BrokenRow('polygon that reaches far outside the image')
    if len(values) * (high - low + 1) > MAX_OUTLINE and sum(map(_outline, rings)) > MAX_OUTLINE:
        raise BrokenRow(f'polygon with an outline of more than {MAX_OUTLINE} px')
    return rings


def _rings(segmentation: Sequence) -> list[list]:
    """Polygons as flat lists, of whatever values."""
    if all(type(ring) is list and _PLAIN.issuperset(map(type, ring)) and len(ring) > 2 for ring in segmentation):
        return list(segmentation)
    if not any(isinstance(value, _LISTS) for value in segmentation):
        return [list(segmentation)]
    if _are_pairs(segmentation):
        return [list(chain(*segmentation))]
    return [_flat(ring) for ring in segmentation]


def _flat(ring: Any) -> list:
    if not isinstance(ring, _LISTS):
        raise BrokenRow('polygons mixed with numbers')
    if not any(isinstance(value, _LISTS) for value in ring):
        return list(ring)
    if not _are_pairs(ring):
        raise BrokenRow('polygon that is nested too deep')
    return list(chain(*ring))


def _are_pairs(points: Sequence) -> bool:
    return all(isinstance(point, _LISTS) and len(point) == 2 and not any(isinstance(value, _LISTS) for value in point)
               for point in points)


def _outline(ring: Sequence[float]) -> float:
    """Length of a closed polygon in pycocotools' steps, px."""
    points = np.asarray(ring, float).reshape(-1, 2)
    return float(np.abs(points - np.roll(points, -1, 0)).max(1).sum()) + len(points)


def _read_rle(rle: dict, height: int, width: int) -> Rle:
    counts, size = rle.get('counts'), rle.get('size')
    if counts is None or len(counts if isinstance(counts, (*_LISTS, str, bytes)) else ()) == 0:
        raise BrokenRow('empty RLE')
    if not isinstance(size, _LISTS) or [integer(side, 'size of an RLE') for side in size] != [height, width]:
        raise BrokenRow('RLE of another size than the image')
    text = isinstance(counts, (str, bytes))
    runs = _runs_of_text(counts) if text else _runs_of_list(counts)
    if runs.min() < 0:
        raise BrokenRow('RLE with a run below zero')
    if runs.max() > height * width or runs.sum() != height * width:
        raise BrokenRow('RLE whose runs do not add up to height x width')
    if not text:
        return _with_text(mask_utils.frPyObjects(dict(size=[height, width], counts=runs.tolist()), height, width))
    return dict(size=[height, width], counts=counts if isinstance(counts, str) else counts.decode('ascii'))


def _runs_of_list(counts: Sequence) -> np.ndarray:
    try:
        return np.array([run if type(run) is int else integer(run, 'run of an RLE') for run in counts], np.int64)
    except OverflowError as error:
        raise BrokenRow('RLE whose runs do not add up to height x width') from error


def _runs_of_text(counts: str | bytes) -> np.ndarray:
    """The runs of COCO's compressed counts, int64.

    A run is written in letters from '0' on, five bits each with the lowest first; a further bit says that another
    letter follows, and the highest bit of the last one is the sign. From the fourth on, runs are differences with the
    one before the last.

    Raises:
        BrokenRow: the text is none of this.
    """
    try:
        counts = counts.encode('ascii') if isinstance(counts, str) else bytes(counts)
    except UnicodeEncodeError as error:
        raise BrokenRow('RLE that cannot be decoded') from error
    if not _LETTERS.fullmatch(counts):
        raise BrokenRow('RLE that cannot be decoded')
    letters = np.frombuffer(counts, np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(letters < 32)
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = np.arange(len(letters)) - np.repeat(starts, ends + 1 - starts)
    runs = np.add.reduceat((letters & 31) << 5 * places, starts)
    runs -= ((letters[ends] & 16) << 1) << 5 * places[ends]
    runs[1::2], runs[2::2] = np.cumsum(runs[1::2]), np.cumsum(runs[2::2])
    return runs


# ---- run-length codes ----
def encode(mask: np.ndarray) -> Rle:
    """A mask (H, W) of zero and other values."""
    mask = np.asarray(mask)
    mask = mask.view(np.uint8) if mask.dtype == bool else mask.astype(np.uint8)
    if mask.size > LARGE:
        return _encode_large(mask)
    return _with_text(mask_utils.encode(_by_columns(mask)))


def _by_columns(mask: np.ndarray) -> np.ndarray:
    """The same mask, column by column in memory."""
    if mask.size and not mask.flags.f_contiguous:
        return cv2.transpose(mask).T  # numpy's copy into this order takes five times as long
    return np.asfortranarray(mask)


def _encode_large(mask: np.ndarray) -> Rle:
    """``encode`` of the columns that have a pixel; the empty ones on both sides only make runs longer."""
    height, width = mask.shape
    columns = np.flatnonzero(mask.any(0))
    if not len(columns):
        return empty_mask(height, width)
    first, last = int(columns[0]), int(columns[-1]) + 1
    runs = _runs_of_text(mask_utils.encode(_by_columns(mask[:, first:last]))['counts']).tolist()
    runs[0] += first * height
    if len(runs) % 2:  # it ends with pixels that are not set
        runs[-1] += (width - last) * height
    elif last < width:
        runs.append((width - last) * height)
    return _with_text(mask_utils.frPyObjects(dict(size=[height, width], counts=runs), height, width))


def empty_mask(height: int, width: int) -> Rle:
    """A mask without a pixel."""
    return _with_text(mask_utils.frPyObjects(dict(size=[height, width], counts=[height * width]), height, width))


def decode(rle: Rle | None, shape: Sequence[int] | None = None) -> np.ndarray:
    """Bool mask (H, W), column by column in memory as pycocotools has it.

    Args:
        rle: checked or made by this module; None is a mask without a pixel, for which ``shape`` is needed.
        shape: (height, width) that it must have.

    Raises:
        ValueError: it has another size than ``shape``.
    """
    if rle is None:
        return np.zeros(tuple(shape), bool)
    if shape is not None and list(rle['size']) != list(shape):
        raise ValueError(f'a mask of size {list(rle["size"])} in a picture of size {list(shape)} (height, width): '
                         'masks must be given at the original size')
    return mask_utils.decode(rle).view(bool)


def polygons_to_rle(polygons: Sequence[Sequence[float]], height: int, width: int) -> Rle:
    """The union of polygons that :func:`read_mask` has checked; what leaves the image is cut off."""
    return union(mask_utils.frPyObjects([list(polygon) for polygon in polygons], height, width))


def union(rles: Sequence[Rle]) -> Rle:
    """All pixels of one or more masks of one size."""
    return _with_text(mask_utils.merge(list(rles)))


def area(rle: Rle) -> int:
    """Number of pixels."""
    return int(mask_utils.area(rle))


def areas(rles: Sequence[Rle]) -> np.ndarray:
    """Numbers of pixels, (N,) float64."""
    # one by one: pycocotools overflows with more than 255 masks at a time
    return np.array([mask_utils.area(rle) for rle in rles], np.float64)


def bounding_box(rle: Rle) -> list[float]:
    """xywh of the pixels, px; zeros without any."""
    return mask_utils.toBbox(rle).tolist()


def shares(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """Intersection over the area of the first of every pair, (N, M) float64; not a number where that is 0."""
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    # this is what pycocotools calls the IoU with a crowd
    return mask_utils.iou(list(first), list(second), [1] * len(second))


def intersections(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """Common pixels of every pair of masks of one size, (N, M) float64."""
    return np.rint(np.nan_to_num(shares(first, second)) * areas(first)[:, None])


def _with_text(rle: dict) -> Rle:
    """A result of pycocotools, whose counts are bytes."""
    return dict(size=[int(side) for side in rle['size']], counts=rle['counts'].decode())
