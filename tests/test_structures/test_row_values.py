"""Numbers, flags, sizes and boxes of rows."""
import pytest

from projects.glee.structures.row_values import BrokenRow, corners, flag, image_size, integer, number

NAN, INF = float('nan'), float('inf')


@pytest.mark.parametrize('value, expected', [(3, 3), (2.5, 2.5), ('3', 3), (' -2.5 ', -2.5), ('1e3', 1000), ('.5', .5),
                                             ('9007199254740993', 9007199254740993), ('-0', 0), ('4.0', 4)])
def test_numbers(value, expected):
    found = number(value, 'box')
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize('value, reason', [
    (None, 'no number'), ('', 'no number'), ('ten', 'no number'), ('nan', 'no number'), ('1_0', 'no number'),
    ('0x10', 'no number'), (True, 'no number'), ([3], 'no number'), ({}, 'no number'), (NAN, 'not finite'),
    (-INF, 'not finite'), ('1e999', 'not finite'), (10**400, 'not finite')])
def test_what_is_no_number(value, reason):
    with pytest.raises(BrokenRow, match=f'box that is {reason}'):
        number(value, 'box')


def test_whole_numbers():
    assert [integer(value, 'width') for value in (3, 3.0, '3', '3.0', -1e3)] == [3, 3, 3, 3, -1000]
    with pytest.raises(BrokenRow, match='width that is no whole number'):
        integer(3.5, 'width')


def test_flags():
    assert [flag(value, 'iscrowd') for value in (1, 1.0, True, '1', 'true', ' True ')] == [True] * 6
    assert [flag(value, 'iscrowd') for value in (0, 0.0, False, '0', 'false', 'False', None, '')] == [False] * 8
    for value in (2, -1, 0.5, 'yes?', [], [1], {}, NAN):
        with pytest.raises(BrokenRow, match='iscrowd that is neither yes nor no'):
            flag(value, 'iscrowd')


def test_sizes_of_images():
    assert image_size(dict(width='640', height=480.0)) == (640, 480)
    for row in (dict(width=640), dict(width=0, height=4), dict(width=None, height=4), dict(width=-5, height=4)):
        with pytest.raises(BrokenRow, match='without width and height'):
            image_size(row)
    with pytest.raises(BrokenRow, match='more than'):
        image_size(dict(width=10**6, height=10**6))
    with pytest.raises(BrokenRow, match='width that is not finite'):
        image_size(dict(width=NAN, height=4))


@pytest.mark.parametrize('box, reason', [
    (None, 'no box'), ([], 'no box'), ('1 2 3 4', 'no box'), ({'x': 1}, 'no box'), ([1, 2, 3], 'four numbers'),
    ([1, 2, 3, 4, 5], 'four numbers'), ([1, 2, NAN, 4], 'not finite'), ([1, 2, None, 4], 'no number'),
    ([1, 2, 0, 4], 'zero area'), ([1, 2, -3, 4], 'zero area'), ([70, 2, 3, 4], 'outside the image'),
    ([-9, 2, 3, 4], 'outside the image'), ([1, 2, 1e300, 4], 'far outside'), ([-1e5, 2, 1e5 + 9, 4], 'far outside')])
def test_boxes_that_cannot_be_used(box, reason):
    with pytest.raises(BrokenRow, match=reason):
        corners(box, 64, 48)


def test_boxes():
    assert corners([1, 2, 3.5, 4], 64, 48) == [1, 2, 4.5, 6]
    assert corners(['1', '2', '3.5', '4'], 64, 48) == [1, 2, 4.5, 6]
    assert corners([-5, -5, 100, 100], 64, 48) == [-5, -5, 95, 95]
