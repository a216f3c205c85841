"""The palette of Pascal VOC and DAVIS, in which pictures of object numbers are written."""
import numpy as np
from PIL import Image


def davis_palette() -> list[int]:
    """256 RGB colours in a row; index 0 is black. The bits of an index are spread over the three channels."""
    colours = np.zeros((256, 3), np.uint8)
    for index in range(256):
        rest = index
        for bit in range(7, -1, -1):
            for channel in range(3):
                colours[index, channel] |= (rest >> channel & 1) << bit
            rest >>= 3
    return colours.flatten().tolist()


PALETTE = davis_palette()


def palette_picture(numbers: np.ndarray) -> Image.Image:
    """A palette picture of object numbers, uint8 (H, W); 0 is background."""
    picture = Image.fromarray(numbers, mode='P')
    picture.putpalette(PALETTE)
    return picture
