"""Numbers, flags, sizes and boxes of a row of an annotation or result file, checked before anything computes with them.

What has one evident meaning is understood ("12" is 12, 12.0 is 12 where a whole number is wanted, "false" is no);
anything else raises ``BrokenRow``.
"""
import math
import re
from typing import Any

import numpy as np

MIN_SIDE = 1e-5  # px; DESIGN section 8, "Images, boxes, masks"
MAX_PIXELS = 178_956_970  # of one image; pillow opens none that is larger
ANY_SIZE = (10**6, 10**6)  # px; of an image whose size is not known: its boxes are not far from it
REACH = 10  # longer sides of the image by which a box or a polygon may leave it; beyond is a slip
PLAIN = frozenset((int, float))
FLAGS = {'0': False, '1': True, 'false': False, 'true': True, '': False}
_NUMBER = re.compile(r'\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*', re.ASCII | re.IGNORECASE)


class BrokenRow(ValueError):
    """A row cannot be used; the message is the reason, without the row's own values."""


def number(value: Any, name: str) -> int | float:
    """A finite number, also one that is written as text.

    Args:
        value: of the row. Numbers come back as they are.
        name: of the value, for the reason: 'box', 'width', ...

    Raises:
        BrokenRow: it is none.
    """
    if isinstance(value, str) and len(value) < 400 and _NUMBER.fullmatch(value):
        written = value.strip()
        value = int(written) if written.lstrip('+-').isdecimal() else float(written)
        value = int(value) if value == value // 1 and math.isfinite(value) else value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise BrokenRow(f'{name} that is no number')
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        finite = False
    if not finite:
        raise BrokenRow(f'{name} that is not finite')
    return value


def integer(value: Any, name: str) -> int:
    """A whole number, also one with decimals that are 0 or one that is written as text.

    Raises:
        BrokenRow: it is none.
    """
    value = number(value, name)
    if value != int(value):
        raise BrokenRow(f'{name} that is no whole number')
    return int(value)


def flag(value: Any, name: str) -> bool:
    """Yes or no: a bool, 0 or 1, or either as text ("0", "false"); None is no.

    Raises:
        BrokenRow: it is none of these.
    """
    if isinstance(value, str):
        value = FLAGS.get(value.strip().lower(), value)
    if value is None or value is False or value is True:
        return bool(value)
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)) and value in (0, 1):
        return bool(value)
    raise BrokenRow(f'{name} that is neither yes nor no')


def image_size(image: dict) -> tuple[int, int]:
    """(width, height) of an image or video row, px.

    Raises:
        BrokenRow: it has none, or one that no image has.
    """
    if not image.get('width') or not image.get('height'):
        raise BrokenRow('image without width and height')
    width, height = (integer(image[side], side) for side in ('width', 'height'))
    if width <= 0 or height <= 0:
        raise BrokenRow('image without width and height')
    if width * height > MAX_PIXELS:
        raise BrokenRow(f'image of more than {MAX_PIXELS} px')
    return width, height


def string(value: Any, name: str) -> str:
    """Text that is not blank.

    Raises:
        BrokenRow: it is none.
    """
    if not isinstance(value, str) or not value.strip():
        raise BrokenRow(f'no {name}')
    return value


def corners(box: Any, width: float, height: float, usable: bool = True) -> list[float]:
    """An xywh box (px) of an image as xyxy.

    Args:
        box: of the row.
        width, height: of the image, px.
        usable: it must have an area and lie in the image, at least in part. A test scores other boxes, too.

    Raises:
        BrokenRow: no box, numbers that are none, one that reaches too far outside, or one that is not usable.
    """
    if not isinstance(box, (list, tuple)) or not box:
        raise BrokenRow('no box')
    if len(box) != 4:
        raise BrokenRow('box that is not four numbers')
    if not PLAIN.issuperset(map(type, box)):
        box = [number(value, 'box') for value in box]
    x, y, w, h = box
    low, high = reach(width, height)
    try:
        near = low <= x <= high and low <= y <= high and low <= x + w <= high and low <= y + h <= high
    except OverflowError:  # a whole number beyond all floats
        near = False
    if not near:  # or not finite
        for value in box:
            number(value, 'box')
        raise BrokenRow('box that reaches far outside the image')
    if not usable:
        return [x, y, x + w, y + h]
    if w <= MIN_SIDE or h <= MIN_SIDE:
        raise BrokenRow('box of zero area')
    if min(x + w, width) <= max(x, 0) or min(y + h, height) <= max(y, 0):
        raise BrokenRow('box outside the image')
    return [x, y, x + w, y + h]


def reach(width: float, height: float) -> tuple[float, float]:
    """The smallest and the largest coordinate, px, that is near an image of this size."""
    longer = width if width > height else height
    return -REACH * longer, (1 + REACH) * longer
