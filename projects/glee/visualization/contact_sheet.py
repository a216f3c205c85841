"""Several pictures in one."""
from typing import Sequence

import cv2
import numpy as np

MARGIN = 4  # px around each picture


def contact_sheet(pictures: Sequence[np.ndarray], columns: int = 2, height: int = 224) -> np.ndarray:
    """Pictures of one height in rows, on white.

    Args:
        pictures: uint8 (H, W, 3), of any sizes.
        columns: pictures in a row.
        height: of each picture, px.

    Returns:
        np.ndarray: uint8 (H, W, 3).

    Raises:
        ValueError: there is no picture.
    """
    if not len(pictures):
        raise ValueError('a contact sheet needs pictures')
    widths = [max(1, round(picture.shape[1] * height / picture.shape[0])) for picture in pictures]
    tiles = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
             for picture, width in zip(pictures, widths)]
    tiles = [cv2.copyMakeBorder(tile, MARGIN, MARGIN, MARGIN, max(widths) - tile.shape[1] + MARGIN,
                                cv2.BORDER_CONSTANT, value=(255, ) * 3) for tile in tiles]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[i:i + columns], 1) for i in range(0, len(tiles), columns)])
