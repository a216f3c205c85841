"""Templates against a crop and a bilinear resize in numpy, and the pixels that are read of a prompt."""
import math

import numpy as np
import pytest
import torch

from projects.glee.models.prompts.visual_prompter import choose_pixels, crop_template, crop_windows

SHAPE = (40, 56)
IMAGE = np.random.default_rng(0).normal(size=(3, *SHAPE))


def filled(top, bottom, left, right):
    """Rows top..bottom and columns left..right, ends included."""
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom + 1, left:right + 1] = True
    return mask


def resized(crop, size):
    """Bilinear between pixel centres, clamped at the border: (3, h, w) to (3, size, size)."""
    for axis in (1, 2):
        length = crop.shape[axis]
        place = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, None)
        low = np.minimum(np.floor(place).astype(int), length - 1)
        high = np.minimum(low + 1, length - 1)
        share = np.moveaxis((place - low)[None, None], -1, axis)
        crop = np.take(crop, low, axis) * (1 - share) + np.take(crop, high, axis) * share
    return crop


CROPS = {  # mask: rows and columns of the crop, ends excluded
    'inside': (filled(15, 24, 20, 36), (8, 32, 16, 40)),  # 16 x 9 px between indices: side 24, centre (28, 19.5)
    'low side': (filled(0, 9, 2, 18), (0, 24, 0, 24)),  # would start at row -7.5 and column -2
    'high side': (filled(30, 39, 38, 54), (22, 40, 34, 56)),  # 24 px do not fit: 18 x 22 are left
    'one pixel': (filled(7, 7, 9, 9), (0, 40, 0, 56)),  # no side: the whole image
    'one row': (filled(7, 7, 9, 30), (0, 40, 0, 56)),
}


@pytest.mark.parametrize('kind', ['point', 'scribble', 'box', 'polygon', 'mask'])
@pytest.mark.parametrize('name', CROPS)
def test_templates(name, kind):
    """The image around the prompt; only thin marks are drawn into it."""
    mask, (top, bottom, left, right) = CROPS[name]
    marked = IMAGE + mask if kind in ('point', 'scribble') else IMAGE
    expected = resized(marked[:, top:bottom, left:right], 32)
    window, = crop_windows(torch.from_numpy(mask)[None])
    template = crop_template(torch.from_numpy(IMAGE), torch.from_numpy(mask), kind, window, 32)
    np.testing.assert_allclose(template.numpy(), expected, atol=1e-6)
    assert template.shape == (3, 32, 32)


def test_the_window_of_scattered_pixels():
    """The box goes from the first to the last pixel index; the square has twice its geometric mean side."""
    mask = filled(10, 10, 12, 12) | filled(19, 19, 37, 37) | filled(14, 15, 20, 20)
    side = math.ceil(2 * math.sqrt(25 * 9))
    assert side == 30
    pair = torch.from_numpy(np.stack([mask, filled(7, 7, 9, 9)]))
    assert crop_windows(pair) == [(round(24.5 - 15), 0, 30), (9, 7, 0)]  # the centre row is 14.5


def test_at_most_so_many_pixels_are_read():
    mask = torch.from_numpy(filled(5, 34, 10, 29))  # 600 pixels
    drawn = choose_pixels(mask.nonzero(), mask.shape, 512, torch.Generator().manual_seed(0))
    again = choose_pixels(mask.nonzero(), mask.shape, 512, torch.Generator().manual_seed(0))
    other = choose_pixels(mask.nonzero(), mask.shape, 512, torch.Generator().manual_seed(1))
    assert drawn.shape == (512, 2) and torch.equal(drawn, again) and not torch.equal(drawn, other)
    pixels = (drawn * drawn.new_tensor([56., 40.])).round().long()
    assert mask[pixels[:, 1], pixels[:, 0]].all() and len(pixels.unique(dim=0)) == 512
    # x and y are pixel indices over the size, without half a pixel
    few = choose_pixels(torch.from_numpy(filled(3, 4, 7, 7)).nonzero(), mask.shape, 512)
    torch.testing.assert_close(few, torch.tensor([[7 / 56, 3 / 40], [7 / 56, 4 / 40]]))
    as_many = torch.from_numpy(filled(0, 15, 0, 31)).nonzero()
    assert len(choose_pixels(as_many, mask.shape, 512)) == 512  # exactly as many are all taken
