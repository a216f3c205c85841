"""Tiny files and masks for the tests of conversions."""
import json

import numpy as np
from PIL import Image


def read(path):
    return json.loads(path.read_text())


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def picture(path, width, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (width, height)).save(path)


def rectangle(x, y, width, height, shape=(20, 30)):
    mask = np.zeros(shape, bool)
    mask[y:y + height, x:x + width] = True
    return mask
