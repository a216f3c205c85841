"""One renderer for results, test pictures, the README and the demo page."""
import colorsys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .label_layout import Rectangle, place_labels, wrap

Colour = tuple[int, int, int]
ON, OFF = (20, 170, 70), (220, 30, 30)  # clicks
SMALLEST, LABELLED = 10, 0.12  # px of letters; share of a picture that labels may cover before letters shrink


@dataclass(frozen=True)
class DrawnObject:
    """One object of a picture.

    Attributes:
        box: (x1, y1, x2, y2) px, or None.
        mask: (H, W) bool, or None.
        label: what is written at it; empty for nothing.
        key: what decides its colour: equal keys, equal colours.
        colour: RGB 0..255 in the place of that of ``key``.
        clicks: (x, y) or (x, y, sign) px: green discs on the object, red ones (sign below 1) off it.
    """
    box: Optional[Sequence[float]] = None
    mask: Optional[np.ndarray] = field(default=None, repr=False)
    label: str = ''
    key: int = 0
    clicks: Sequence[Sequence[float]] = ()
    colour: Optional[Colour] = None

    @property
    def shade(self) -> Colour:
        """Its colour, RGB 0..255."""
        return colour_of(self.key) if self.colour is None else self.colour


def colour_of(key: int) -> Colour:
    """RGB 0..255; consecutive keys lie far apart, and none is red, which marks what is not wanted."""
    hue = 0.08 + 0.84 * (key * 0.618033988749895 % 1)
    shade = (0.98, 0.78, 0.9)[key // 7 % 3]
    return tuple(round(255 * value) for value in colorsys.hsv_to_rgb(hue, (0.75, 0.9, 0.6)[key // 3 % 3], shade))


class Renderer:
    """Draws objects into a picture.

    Lines and letters are in proportion to the picture; a small picture is enlarged first, without smoothing, so that
    its pixels stay what they are. Labels are wrapped, stay inside and never cover each other; where there is no place
    left a label is left out.

    Args:
        min_side (int): a picture whose longer side is shorter, px, is enlarged by a whole factor to at least that.
        alpha (float): opacity of masks.
        with_boxes (bool): draw boxes of objects that also have a mask.
        marks (bool): set-of-marks: a number on every object instead of its label, for language models that look at
            pictures; the numbers follow the order of the objects, from 1.
    """

    def __init__(self, min_side: int = 640, alpha: float = 0.4, with_boxes: bool = True, marks: bool = False) -> None:
        self.min_side = min_side
        self.alpha = alpha
        self.with_boxes = with_boxes
        self.marks = marks

    def __call__(self, image: np.ndarray, objects: Sequence[DrawnObject]) -> np.ndarray:
        """Draw.

        Args:
            image (np.ndarray): RGB uint8 (H, W, 3).
            objects (Sequence[DrawnObject]): the most important first: its label gets the best place.

        Returns:
            np.ndarray: RGB uint8; (H, W, 3), or enlarged by a whole factor.
        """
        factor = max(1, -(-self.min_side // max(image.shape[:2])))
        canvas = image.repeat(factor, 0).repeat(factor, 1) if factor > 1 else image.copy()
        line = max(1, round(max(canvas.shape[:2]) / 500))
        boxes = [_scaled_box(item, factor) for item in objects]
        for item in reversed(objects):  # the first lies on top
            if item.mask is not None:
                self._draw_mask(canvas, item, factor, line)
        for item, box in reversed(list(zip(objects, boxes))):
            if box is not None and item.box is not None and (item.mask is None or self.with_boxes):
                cv2.rectangle(canvas, *_corners(box), item.shade, line)
        _draw_clicks(canvas, objects, factor, line)
        return self._draw_labels(canvas, objects, boxes)

    def _draw_mask(self, canvas: np.ndarray, item: DrawnObject, factor: int, line: int) -> None:
        """Tint and outline, within the rectangle around the mask."""
        ys, xs = np.flatnonzero(item.mask.any(1)), np.flatnonzero(item.mask.any(0))
        if not len(ys):
            return
        window = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
        mask = item.mask[window].repeat(factor, 0).repeat(factor, 1)
        part = canvas[tuple(slice(side.start * factor, side.stop * factor) for side in window)]
        colour = np.array(item.shade)
        part[mask] = np.round(part[mask] * (1 - self.alpha) + self.alpha * colour).astype(np.uint8)
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        offset = (int(xs[0]) * factor, int(ys[0]) * factor)
        cv2.drawContours(canvas, outlines, -1, item.shade, line, cv2.LINE_AA, offset=offset)

    def _draw_labels(self, canvas: np.ndarray, objects: Sequence[DrawnObject], boxes: list) -> np.ndarray:
        height, width = canvas.shape[:2]
        shown = [(item, box, str(number) if self.marks else item.label)
                 for number, (item, box) in enumerate(zip(objects, boxes), 1) if box is not None]
        size = round(min(max(max(height, width) / 50, 12), 60))
        labels = [_Label.of(text, size, width) for _, _, text in shown]
        while size > SMALLEST and sum(label.area for label in labels) > LABELLED * height * width:
            size -= 1  # many objects: smaller letters, so that they can be seen behind them
            labels = [_Label.of(text, size, width) for _, _, text in shown]
        kept = [(item, box, label) for (item, box, _), label in zip(shown, labels) if label.lines]
        anchors = [_centre(box, label.extent) if self.marks else box for _, box, label in kept]
        places = place_labels(anchors, [label.extent for *_, label in kept], (height, width))
        picture = Image.fromarray(canvas)
        pen = ImageDraw.Draw(picture)
        for (item, _, label), place in zip(kept, places):
            if place is not None:
                label.draw(pen, place, item.shade)
        return np.asarray(picture)


class _Label(NamedTuple):
    """Lines of one label in letters of a size (px); ``extent``: its width and height, px."""
    lines: list[str]
    size: int
    extent: tuple[int, int]

    @classmethod
    def of(cls, text: str, size: int, width: int) -> '_Label':
        """At most half as wide as a picture of ``width`` px."""
        font, margin = _font(size), max(2, size // 5)
        lines = wrap(text, lambda line: int(font.getlength(line)), max(width // 2 - 2 * margin, size))
        widest = max((font.getlength(line) for line in lines), default=0)
        return cls(lines, size, (round(widest) + 2 * margin, sum(font.getmetrics()) * len(lines) + margin))

    @property
    def area(self) -> int:
        """Pixels it covers."""
        return self.extent[0] * self.extent[1] * bool(self.lines)

    def draw(self, pen: ImageDraw.ImageDraw, place: Rectangle, colour: Colour) -> None:
        """Letters on a ground of ``colour``, black or white, whichever is seen better."""
        font, margin = _font(self.size), max(2, self.size // 5)
        pen.rectangle((place.x1, place.y1, place.x2 - 1, place.y2 - 1), fill=colour)
        dark = np.dot(colour, (0.299, 0.587, 0.114)) > 140
        for row, line in enumerate(self.lines):
            pen.text((place.x1 + margin, place.y1 + margin // 2 + row * sum(font.getmetrics())), line, font=font,
                     fill=(0, 0, 0) if dark else (255, 255, 255))


def _draw_clicks(canvas: np.ndarray, objects: Sequence[DrawnObject], factor: int, line: int) -> None:
    """Discs with a white rim, so that they are seen on any ground."""
    for x, y, *sign in (click for item in objects for click in item.clicks):
        centre = (round((x + 0.5) * factor), round((y + 0.5) * factor))
        cv2.circle(canvas, centre, 4 * line, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(canvas, centre, 3 * line, OFF if sign and sign[0] <= 0 else ON, -1, cv2.LINE_AA)


def _scaled_box(item: DrawnObject, factor: int) -> Optional[tuple]:
    """The object's box, or that of its mask, in the enlarged picture; None without pixels."""
    if item.box is not None:
        return tuple(float(value) * factor for value in item.box)
    if item.mask is None or not item.mask.any():
        return None
    ys, xs = np.flatnonzero(item.mask.any(1)), np.flatnonzero(item.mask.any(0))
    return tuple(int(value) * factor for value in (xs[0], ys[0], xs[-1] + 1, ys[-1] + 1))


def _corners(box: Sequence[float]) -> tuple[tuple[int, int], tuple[int, int]]:
    x1, y1, x2, y2 = (round(value) for value in box)
    return (x1, y1), (max(x2 - 1, x1), max(y2 - 1, y1))


def _centre(box: Sequence[float], extent: tuple[int, int]) -> tuple:
    """A box of one point, so that a label of this extent, placed above it, covers the middle of ``box``."""
    x, y = (box[0] + box[2] - extent[0]) / 2, (box[1] + box[3] + extent[1]) / 2
    return x, y, x, y


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib ships and which knows most alphabets."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / 'fonts/ttf/DejaVuSans.ttf'), size)
