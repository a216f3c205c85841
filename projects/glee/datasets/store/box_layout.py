"""Whether the boxes of a file are what COCO's are: a corner and a size."""
from typing import Sequence

from .broken_rows import BrokenRows

TOLERANCE = 1  # px by which rounded boxes leave a picture


class BoxLayout:
    """Notices files whose boxes are two corners (x1, y1, x2, y2) where (x, y, width, height) is meant.

    Read as sizes, most of them leave the picture, though as corners they fit.
    """

    def __init__(self) -> None:
        self.boxes = self.corners = 0
        self.first = ''

    def see(self, box: Sequence[float], width: float, height: float, where: str) -> None:
        """Take note of a box (xyxy, as ``corners`` understands it) in a picture of this size, px."""
        x1, y1, x2, y2 = box
        self.boxes += 1
        if (x2 > width + TOLERANCE or y2 > height + TOLERANCE) and (
                x1 < x2 - x1 <= width + TOLERANCE and y1 < y2 - y1 <= height + TOLERANCE):
            self.corners += 1
            self.first = self.first or where

    def judge(self, broken: BrokenRows) -> None:
        """Say so if most boxes are like that."""
        if 2 * self.corners > self.boxes:
            broken.note('box that leaves the picture as (x, y, width, height) and fits as corners (x1, y1, x2, y2): '
                        'most are like that, write sizes in place of corners', self.first, self.corners)
