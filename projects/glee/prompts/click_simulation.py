"""A user who corrects a mask click by click, in two ways of choosing the next click."""
from typing import NamedTuple, Optional

import numpy as np
from scipy import ndimage

RULES = ('ritm', 'seem')
SEEM_SATISFIED = 0.925  # above this IoU SEEM's user stops


class Click(NamedTuple):
    """A pixel and whether it is on the object."""
    x: int
    y: int
    positive: bool


def mask_iou(pred: np.ndarray, truth: np.ndarray, void: Optional[np.ndarray] = None) -> float:
    """IoU of two bool masks (H, W) outside ``void``; 1 if both are empty there."""
    cared = np.ones_like(truth) if void is None else ~void
    union = ((pred | truth) & cared).sum()
    return float((pred & truth & cared).sum() / union) if union else 1.


def depth(mask: np.ndarray) -> np.ndarray:
    """Exact Euclidean distance (H, W) to the nearest pixel outside ``mask``; outside the image counts."""
    depths = np.zeros(mask.shape)
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    if len(rows):  # what lies around the mask's rectangle is outside like its edge, and costs time
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        depths[box] = ndimage.distance_transform_edt(np.pad(mask[box], 1))[1:-1, 1:-1]
    return depths


class ClickSimulator:
    """Clicks on one object.

    'ritm' (the usual protocol of NoC): the deepest pixel of missing and of superfluous regions, of the
    two the deeper one, superfluous on a tie. 'seem': the larger of both regions decides, clicked places
    are left out, a click covers 3 x 3 px, and nobody clicks once the IoU is 0.925. Ties go to the first
    pixel row by row. The first click, on an empty prediction, is the deepest pixel of the object.

    Args:
        truth (np.ndarray): (H, W) bool.
        void (np.ndarray | None): (H, W) bool, pixels that count for nothing.
        rule (str): 'ritm' or 'seem'.
    """

    def __init__(self, truth: np.ndarray, void: Optional[np.ndarray] = None, rule: str = 'ritm') -> None:
        if rule not in RULES:
            raise ValueError(f'click rule {rule!r} is unknown; choose from {RULES}')
        self.truth = truth
        self.void = np.zeros_like(truth) if void is None else void
        self.rule = rule
        self.clicked = np.zeros_like(truth)

    def next(self, pred: np.ndarray) -> Optional[Click]:
        """The next click given a prediction (H, W) bool; None if there is nothing to correct."""
        missing = self.truth & ~pred & ~self.void
        superfluous = pred & ~self.truth & ~self.void
        click = (self._ritm if self.rule == 'ritm' else self._seem)(missing, superfluous, pred)
        if click is not None:
            reach = 0 if self.rule == 'ritm' else 1
            self.clicked[max(click.y - reach, 0):click.y + reach + 1,
                         max(click.x - reach, 0):click.x + reach + 1] = True
        return click

    def _ritm(self, missing: np.ndarray, superfluous: np.ndarray, pred: np.ndarray) -> Optional[Click]:
        depths = [depth(region) * ~self.clicked for region in (missing, superfluous)]
        positive = depths[0].max() > depths[1].max()
        return _deepest(depths[0] if positive else depths[1], bool(positive))

    def _seem(self, missing: np.ndarray, superfluous: np.ndarray, pred: np.ndarray) -> Optional[Click]:
        if mask_iou(pred, self.truth, self.void) >= SEEM_SATISFIED:
            return None
        missing, superfluous = missing & ~self.clicked, superfluous & ~self.clicked
        positive = missing.sum() > superfluous.sum()
        return _deepest(depth(missing if positive else superfluous), bool(positive))


def _deepest(depths: np.ndarray, positive: bool) -> Optional[Click]:
    y, x = np.unravel_index(depths.argmax(), depths.shape)
    return Click(int(x), int(y), positive) if depths[y, x] > 0 else None
