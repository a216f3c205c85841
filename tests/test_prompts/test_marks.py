"""Marks drawn at the size of the model's input against masks of the original image, which are warped."""
import cv2
import numpy as np
import pytest

from projects.glee.prompts import Mark, draw_rounds, rasters, warp_mask, warp_rounds

SHAPES = [((60, 90), (64, 96)), ((333, 517), (64, 96)), ((200, 90), (64, 29)), ((37, 41), (111, 123)),
          ((5, 400), (5, 400))]


def whole_polygon(shape, points):
    """On a canvas of the whole image."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.floor(points).astype(np.int32)], 1)
    return mask.astype(bool)


def whole_scribble(shape, points):
    mask, brush = np.zeros(shape, np.uint8), max(3, shape[0] // 160)
    vertices = np.floor(points).astype(np.int32)
    cv2.polylines(mask, [np.concatenate([vertices[:1], vertices])], False, 1)
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (brush, brush))).astype(bool)


@pytest.mark.parametrize('patch, whole', [(rasters.polygon_patch, whole_polygon),
                                          (rasters.scribble_patch, whole_scribble)])
def test_windows_hold_what_the_whole_image_would(patch, whole):
    """600 polygons and strokes, many of which leave the image on one or more sides."""
    rng, outside = np.random.default_rng(0), 0
    for _ in range(300):
        shape = tuple(int(side) for side in rng.integers(5, 400, 2))
        points = rng.uniform(-0.4, 1.4, (rng.integers(3, 9), 2)) * shape[::-1]
        expected = whole(shape, points)
        if not expected.any():
            outside += 1
            with pytest.raises(ValueError, match='no pixel inside'):
                patch(shape, points)
            continue
        found = patch(shape, points)
        assert np.array_equal(found.on(shape), expected)
    assert outside < 30


def random_mark(rng, shape):
    height, width = shape
    kind = ('point', 'box', 'polygon', 'scribble', 'mask')[rng.integers(5)]
    positive = kind != 'point' or rng.random() < 0.6
    low = rng.uniform(0, 0.9, 2)
    if kind == 'mask':
        mask = np.zeros(shape, bool)
        y, x = (low * shape).astype(int)
        mask[y:y + rng.integers(1, 20), x:x + rng.integers(1, 20)] = True
        mask &= rng.random(shape) < 0.7
        mask[y, x] = True
        return Mark.of_mask(('mask', 'scribble')[rng.integers(2)], shape, mask)
    if kind == 'point':
        return Mark(kind, positive, (tuple(low * (width, height)), ))
    if kind == 'box':
        corners = low, low + rng.uniform(0.02, 0.4, 2)
        return Mark(kind, True, tuple(tuple(corner * (width, height)) for corner in corners))
    points = np.clip(low + rng.uniform(-0.2, 0.3, (4, 2)), 0, 1) * (width - 1, height - 1)
    return Mark(kind, True, tuple(map(tuple, points)))


def joined(rounds, shape):
    """Round by round on whole masks, written out plainly."""
    positive = negative = np.zeros(shape, bool)
    for marks in rounds:
        new = [np.zeros(shape, bool), np.zeros(shape, bool)]
        for mark in marks:
            new[mark.positive] |= mark.patch(shape).on(shape)
        kept = positive & ~new[0]
        positive, negative = (kept if kept.any() else positive) | new[1], (negative & ~new[1]) | new[0]
    return positive, negative


@pytest.mark.parametrize('shape, out', SHAPES)
def test_rounds_at_model_size_are_the_warped_ones(shape, out):
    """60 objects of up to five rounds of up to three marks, enlarged, shrunk and as they are."""
    rng, matrix = np.random.default_rng(1), np.diag([out[1] / shape[1], out[0] / shape[0], 1.])
    for _ in range(60):
        rounds = [[random_mark(rng, shape) for _ in range(rng.integers(1, 4))] for _ in range(rng.integers(1, 6))]
        expected = joined(rounds, shape)
        for found, mask in zip(draw_rounds(rounds, shape), expected):
            assert np.array_equal(found, mask)
        for found, mask in zip(warp_rounds(rounds, shape, matrix, out), expected):
            assert np.array_equal(found, warp_mask(mask, matrix, out))


def pixel(x, y, positive=True, shape=(400, 400)):
    mask = np.zeros(shape, bool)
    mask[y, x] = True
    return Mark.of_mask('mask', shape, mask)._replace(positive=positive)


def test_what_falls_between_the_pixels_counts():
    """An image shrunk by ten, of which pixels 5, 15, ... are read."""
    shape, out, matrix = (400, 400), (40, 40), np.diag([0.1, 0.1, 1.])
    alone = warp_rounds([[pixel(7, 8)]], shape, matrix, out)[0]
    assert np.argwhere(alone).tolist() == [[0, 0]]  # swallowed: its centre
    beside = warp_rounds([[pixel(7, 8), pixel(35, 35)]], shape, matrix, out)[0]
    assert np.argwhere(beside).tolist() == [[3, 3]]  # lost beside others
    # all that is read of the first round is taken back; what is left of it falls between the pixels, and is kept
    rounds = [[pixel(35, 35), pixel(7, 8)], [pixel(35, 35, positive=False)]]
    positive, negative = warp_rounds(rounds, shape, matrix, out)
    assert np.argwhere(positive).tolist() == [[0, 0]] and np.argwhere(negative).tolist() == [[3, 3]]
    # nothing is left of it at all: the object keeps its last pixel
    positive, negative = warp_rounds([[pixel(35, 35)], [pixel(35, 35, positive=False)]], shape, matrix, out)
    assert positive[3, 3] and negative[3, 3]


def test_a_turned_image_is_warped_as_a_whole():
    matrix = np.array([[0., -1., 60.], [1., 0., 0.], [0., 0., 1.]])
    rounds = [[Mark('box', True, ((10, 20), (30, 50)))]]
    found = warp_rounds(rounds, (60, 90), matrix, (90, 60))
    assert np.array_equal(found[0], warp_mask(rasters.box_mask((60, 90), (10, 20, 30, 50)), matrix, (90, 60)))


def test_a_mask_is_kept_as_its_runs():
    """Of twelve megapixels a few bytes; the pixels come back."""
    mask = np.zeros((3000, 4000), bool)
    mask[100:2900, 50:3900] = True
    mark = Mark.of_mask('mask', mask.shape, mask)
    assert len(mark.rle['counts']) < 100 and mark.points == ((50, 100), )
    assert np.array_equal(mark.patch(mask.shape).on(mask.shape), mask)
