"""A mask that gives way where the user clicked."""
from typing import Sequence

import numpy as np

from ....prompts.click_simulation import Click, depth


def carve(mask: np.ndarray, clicks: Sequence[Click], max_radius: float, reach: float = 0.75) -> np.ndarray:
    """A bool mask (H, W) corrected around each click that it contradicts, one after the other.

    A disk around the click takes its sign. How far an error extends is not known, but it ends at the latest where
    the mask changes: the disk has ``reach`` times that distance, at most ``max_radius``, at least the clicked pixel.

    Args:
        mask (np.ndarray): (H, W) bool; it is not changed.
        clicks (Sequence[Click]): in the order they were made.
        max_radius (float): px.
        reach (float): share of the distance to where the mask changes.
    """
    carved = mask.copy()
    rows, columns = np.ogrid[:mask.shape[0], :mask.shape[1]]
    for click in clicks:
        if carved[click.y, click.x] == click.positive:
            continue
        distance = depth(~carved if click.positive else carved)[click.y, click.x]
        radius = min(reach * distance, max_radius)
        carved[(rows - click.y)**2 + (columns - click.x)**2 <= radius**2] = click.positive
    return carved
