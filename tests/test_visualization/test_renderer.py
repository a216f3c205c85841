"""Labels that keep apart and inside, colours, masks and sizes of the renderer."""
import itertools

import numpy as np
import pytest

from projects.glee.visualization.label_layout import Rectangle, place_labels, wrap
from projects.glee.visualization.renderer import DrawnObject, Renderer, colour_of


def test_labels_never_cover_each_other_or_leave_the_picture():
    rng = np.random.default_rng(0)
    for _ in range(50):
        count, (height, width) = int(rng.integers(1, 40)), rng.integers(40, 300, 2).tolist()
        corners = rng.uniform(-20, 300, (count, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(0, 200, (count, 2))], 1)
        sizes = [tuple(size) for size in rng.integers(5, 60, (count, 2)).tolist()]
        places = place_labels(boxes.tolist(), sizes, (height, width))
        found = [place for place in places if place is not None]
        assert len(places) == count
        assert not any(one.overlaps(other) for one, other in itertools.combinations(found, 2))
        for place, size in zip(places, sizes):
            if place is not None:
                assert place.x1 >= 0 and place.y1 >= 0 and place.x2 <= width and place.y2 <= height
                assert (place.x2 - place.x1, place.y2 - place.y1) == size


def test_a_label_lies_above_its_box_and_a_second_finds_another_place():
    above, other = place_labels([(50, 40, 90, 80), (50, 40, 90, 80)], [(20, 10)] * 2, (100, 200))
    assert above == Rectangle(50, 30, 70, 40) and other == Rectangle(50, 40, 70, 50)
    at_top, = place_labels([(50, 4, 90, 80)], [(20, 10)], (100, 200))
    assert at_top == Rectangle(50, 4, 70, 14)
    assert place_labels([(0, 0, 9, 9)], [(300, 10)], (100, 200)) == [None]


@pytest.mark.parametrize('text, lines', [
    ('the red star', ['the', 'red', 'star']), ('a b c d', ['a b c', 'd']), ('abcdefghijk', ['abcde', 'fghij', 'k']),
    ('  two\nlines ', ['two', 'lines']), ('', [])])
def test_wrapped_lines_fit(text, lines):
    assert wrap(text, len, 5) == lines


def test_colours_differ_and_are_not_red():
    colours = [colour_of(key) for key in range(20)]
    assert len(set(colours)) == 20
    assert not any(red > 1.8 * max(green, blue) for red, green, blue in colours)


def test_a_mask_tints_its_pixels_only():
    image = np.full((700, 800, 3), 100, np.uint8)
    mask = np.zeros((700, 800), bool)
    mask[300:400, 200:500] = True
    drawn = Renderer(alpha=0.5)(image, [DrawnObject(mask=mask, key=1)])
    assert drawn.shape == image.shape and (image == 100).all()
    expected = np.round(50 + 0.5 * np.array(colour_of(1)))
    assert np.abs(drawn[350, 350] - expected).max() <= 1
    changed = (drawn != 100).any(-1)
    assert changed[mask].all() and not changed[:290].any() and not changed[:, :190].any()


def test_a_small_picture_is_enlarged_by_a_whole_factor_and_keeps_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (50, 80, 3), dtype=np.uint8)
    drawn = Renderer(min_side=640)(image, [])
    np.testing.assert_array_equal(drawn, np.kron(image, np.ones((8, 8, 1), np.uint8)))
    assert Renderer(min_side=640)(np.zeros((10, 640, 3), np.uint8), []).shape == (10, 640, 3)


def test_marks_are_numbers_in_the_middle():
    image = np.zeros((640, 640, 3), np.uint8)
    drawn = Renderer(marks=True)(image, [DrawnObject(box=(100, 100, 300, 300), label='a name', key=3)])
    colour = np.array(colour_of(3))
    assert (drawn[190:210, 190:210] == colour).all(-1).any()
    named = Renderer()(image, [DrawnObject(box=(100, 100, 300, 300), label='a name', key=3)])
    assert not (named[190:210, 190:210] == colour).all(-1).any() and (named[85:98, 102:130] == colour).all(-1).any()


@pytest.mark.parametrize('shape', [(1, 1), (1, 900), (2000, 20)])
def test_odd_sizes_and_objects(shape):
    image, everything = np.zeros((*shape, 3), np.uint8), np.ones(shape, bool)
    objects = [DrawnObject(mask=everything, label='all of it ' * 9), DrawnObject(mask=~everything, label='nothing'),
               DrawnObject(box=(-5, -5, 0, 0), label='\N{GRINNING FACE} ja'), DrawnObject(label='nowhere')]
    assert Renderer()(image, objects).dtype == np.uint8
