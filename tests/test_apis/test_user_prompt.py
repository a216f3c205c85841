"""Several prompts of one object: what is positive, and which kind decides how it is cropped."""
import numpy as np
import pytest

from projects.glee.apis.user_prompt import read_prompt

SHAPE = (80, 120)


def filled(top, bottom, left, right):
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_box_and_points_are_united_as_a_box():
    """A point is a rectangle of 4 x 6 px here; one inside the box changes nothing, one outside adds itself."""
    prompt = read_prompt(SHAPE, boxes=[(10, 20, 50, 60)], points=[(30, 30), (90, 70), (100, 10, -1)])
    expected = filled(20, 60, 10, 50) | filled(68, 72, 87, 93)
    assert prompt.kind == 'box' and np.array_equal(prompt.positive, expected)
    assert np.array_equal(prompt.negative, filled(8, 12, 97, 103))
    assert expected.sum() == 40 * 40 + 4 * 6


def test_rounds_are_united_as_the_stronger_kind():
    first = read_prompt(SHAPE, points=[(90, 70)])
    joined = first.joined(read_prompt(SHAPE, boxes=[(10, 20, 50, 60)]))
    assert first.kind == 'point' and joined.kind == 'box'
    assert np.array_equal(joined.positive, filled(20, 60, 10, 50) | filled(68, 72, 87, 93))
    assert joined.joined(read_prompt(SHAPE, points=[(5, 5)])).kind == 'box'


def test_geometry_stays_geometry():
    """Marks with their coordinates, round by round; only a given mask has runs."""
    first = read_prompt(SHAPE, points=[(90, 70), (5.5, 6, -1)], boxes=[(10, 20, 50, 60)])
    joined = first.joined(read_prompt(SHAPE, mask=filled(5, 9, 5, 9), text='a ring'))
    assert [len(marks) for marks in joined.rounds] == [3, 1] and joined.text == 'a ring'
    assert [(mark.kind, mark.positive, mark.points, mark.rle is None) for mark in joined.marks] == [
        ('box', True, ((10, 20), (50, 60)), True), ('point', True, ((90, 70), ), True),
        ('point', False, ((5.5, 6), ), True), ('mask', True, ((5, 5), ), False)]
    assert joined.clicks == ((90, 70, True), (5, 6, False))
    with pytest.raises(ValueError, match='one expression'):
        read_prompt(SHAPE, text=['a ring'])


@pytest.mark.parametrize('given, kind', [
    (dict(points=[(5, 5)], scribbles=[[(1, 1), (9, 9)]]), 'scribble'),
    (dict(scribbles=[[(1, 1), (9, 9)]], polygons=[[(1, 1), (20, 1), (9, 20)]]), 'polygon'),
    (dict(polygons=[[(1, 1), (20, 1), (9, 20)]], mask=filled(5, 9, 5, 9)), 'mask'),
    (dict(boxes=[(1, 1, 9, 9)], mask=filled(5, 9, 5, 9)), 'box'),
    (dict(mask=filled(5, 9, 5, 9), mask_kind='scribble', points=[(50, 50)]), 'scribble'),
    (dict(points=[(50, 50, -1)], text='a ring'), None)])
def test_the_strongest_kind_counts(given, kind):
    """Regions before marks, a box before all; negative points and text are no kind."""
    assert read_prompt(SHAPE, **given).kind == kind
