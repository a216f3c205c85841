"""Tiny files and masks for the tests of conversions."""
import json

import numpy as np
from PIL import Image
from pycocotools import mask as mask_utils


def read(path):
    return json.loads(path.read_text())


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def picture(path, width, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (width, height)).save(path)


def rle(mask):
    encoded = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    return {'size': list(mask.shape), 'counts': encoded['counts'].decode()}


def rectangle(x, y, width, height, shape=(20, 30)):
    mask = np.zeros(shape, bool)
    mask[y:y + height, x:x + width] = True
    return mask
