"""PNG files whose pixels are numbers of objects: YouTube-VOS, MOSE, DAVIS."""
from pathlib import Path
from typing import Iterable, NamedTuple, Union

import numpy as np
from PIL import Image

VOID = 255


class IndexMap(NamedTuple):
    """``numbers`` uint8 (H, W); ``grey``: whether the file has no palette."""
    numbers: np.ndarray
    grey: bool


def read_index_map(path: Union[str, Path]) -> IndexMap:
    """The numbers of a file.

    Raises:
        ValueError: the file has colours instead of a palette.
        OSError: it is missing or damaged.
    """
    with Image.open(path) as picture:
        if picture.mode not in ('P', 'L', '1'):
            raise ValueError(f'{path} is a {picture.mode} picture; object indices need a palette or grey PNG')
        try:
            return IndexMap(np.asarray(picture, np.uint8), picture.mode != 'P')
        except (SyntaxError, ValueError) as error:  # of a damaged file
            raise OSError(f'{path} is damaged: {error}') from error


def show_one_object(values: Iterable[int], grey: bool) -> bool:
    """Whether the files of a video are silhouettes of one object, as those of DAVIS 2016 are, and 255 not void.

    Args:
        values: that occur in the files of the video.
        grey: none of them has a palette.
    """
    return grey and VOID in values and set(values) <= {0, VOID}
