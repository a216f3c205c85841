"""The colours in which COCO's panoptic PNGs store the ids of segments."""
import numpy as np


def rgb2id(colors: np.ndarray) -> np.ndarray:
    """Segment ids (...,) of colours (..., 3): r + 256 g + 256² b."""
    return np.asarray(colors, dtype=np.int64) @ np.array([1, 256, 256**2])


def id2rgb(ids: np.ndarray) -> np.ndarray:
    """Colours (..., 3) uint8 of segment ids (...,)."""
    ids = np.asarray(ids, dtype=np.int64)
    return np.stack([ids % 256, ids // 256 % 256, ids // 256**2 % 256], -1).astype(np.uint8)
