"""Masks as COCO writes them, by pycocotools alone."""
import numpy as np
import pycocotools.mask as mask_utils


def rle(mask) -> dict:
    """Compressed RLE of a mask (H, W), ``counts`` as text."""
    encoded = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=[int(side) for side in encoded['size']], counts=encoded['counts'].decode())
