"""Masks of the formats of COCO: what is understood, what is refused before pycocotools sees it, and the arithmetic."""
import itertools

import numpy as np
import pytest

from projects.glee.structures import masks
from projects.glee.structures.row_values import BrokenRow

H, W = 20, 30
NAN, INF = float('nan'), float('inf')
SQUARE = [[5, 6, 25, 6, 25, 16, 5, 16]]
FULL = [[-3, -3, W + 3, -3, W + 3, H + 3, -3, H + 3]]


def runs_of(mask: np.ndarray) -> list[int]:
    """Run lengths down the columns, zeros first."""
    runs = [(value, len(list(group))) for value, group in itertools.groupby(mask.T.reshape(-1).astype(bool).tolist())]
    return [length for _, length in ([(False, 0)] if runs[0][0] else []) + runs]


@pytest.fixture(scope='module')
def random_masks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.random(rng.integers(1, 40, 2)) < rng.random() for _ in range(60)]


def test_every_form_of_an_rle_gives_the_same_pixels(random_masks):
    for mask in random_masks:
        size, runs = mask.shape, runs_of(mask)
        rle = masks.encode(mask)
        assert rle['size'] == list(size) and isinstance(rle['counts'], str)
        for counts in (rle['counts'], rle['counts'].encode(), runs, [float(run) for run in runs],
                       [str(run) for run in runs], np.array(runs)):
            assert masks.read_mask(dict(size=list(size), counts=counts), *size) == rle
        assert masks.read_mask(dict(size=[float(size[0]), str(size[1])], counts=runs), *size) == rle
        assert np.array_equal(masks.decode(rle, size), mask) and masks.area(rle) == mask.sum()


@pytest.mark.parametrize('layout', ['rows', 'columns', 'window', 'upside down', 'mirrored', 'numbers', 'nothing'])
@pytest.mark.parametrize('large', [masks.LARGE, 0])
def test_masks_are_encoded_whatever_their_layout(random_masks, layout, large, monkeypatch):
    monkeypatch.setattr(masks, 'LARGE', large)
    for mask in random_masks:
        mask = dict(rows=mask, columns=np.asfortranarray(mask), window=np.pad(mask, 3)[3:-3, 3:-3],
                    mirrored=mask[:, ::-1], numbers=mask * 7, nothing=mask & False).get(layout, mask[::-1])
        before = mask.copy()
        assert masks.encode(mask) == masks.read_mask(dict(size=list(mask.shape), counts=runs_of(mask)), *mask.shape)
        assert np.array_equal(mask, before)


@pytest.mark.parametrize('rows', [(0, 20), (3, 9), (0, 5), (15, 20)], ids=str)
@pytest.mark.parametrize('columns', [(0, 30), (0, 4), (26, 30), (7, 8), (11, 19)], ids=str)
def test_columns_without_a_pixel_make_runs_longer(rows, columns, monkeypatch):
    """At each side, at both and at none; where the last pixel ends a column and where it does not."""
    mask = np.zeros((H, W), bool)
    mask[slice(*rows), slice(*columns)] = True
    mask[:, 14:16] = False
    usual = masks.encode(mask)
    monkeypatch.setattr(masks, 'LARGE', 0)
    assert masks.encode(mask) == usual == masks.read_mask(dict(size=[H, W], counts=runs_of(mask)), H, W)


def test_runs_of_a_large_picture():
    mask = np.zeros((12000, 14000), np.uint8)
    mask[5000:9000, 3000] = 1
    rle = masks.encode(mask)
    assert masks.read_mask(rle, 12000, 14000) == rle and masks.area(rle) == 4000


@pytest.mark.parametrize('form', [
    SQUARE, SQUARE[0], [[5, 6], [25, 6], [25, 16], [5, 16]], [[[5, 6], [25, 6], [25, 16], [5, 16]]],
    [['5', '6.0', ' 25 ', '6', 25., 16, 5, '1.6e1']], [(5, 6, 25, 6, 25, 16, 5, 16)],
    np.array(SQUARE), [[1, 1, 2, 2], SQUARE[0], [], [1, 2, 3, 4, 5, 6, 7]]], ids=str)
def test_every_form_of_a_polygon_gives_the_same_pixels(form):
    expected = np.zeros((H, W), bool)
    expected[6:16, 5:25] = True
    polygons = masks.read_mask(form, H, W)
    assert np.array_equal(masks.decode(masks.polygons_to_rle(polygons, H, W)), expected)
    assert masks.to_rle(form, H, W) == masks.encode(expected)


def test_usual_polygons_come_back_as_they_are():
    mixed = [[5, 6.5, 25, 6, 25, 16], [1.25, 1, 3, 1, 3, 4]]
    assert masks.read_mask(mixed, H, W) == mixed
    assert all(type(a) is type(b) for a, b in zip(itertools.chain(*masks.read_mask(mixed, H, W)),
                                                   itertools.chain(*mixed)))


def test_what_leaves_the_image_is_cut_off():
    assert masks.area(masks.to_rle(FULL, H, W)) == H * W
    assert masks.area(masks.to_rle([[-50, -50, -40, -50, -40, -40]], H, W)) == 0
    assert masks.area(masks.to_rle([[15, -50, W + 100, -50, W + 100, H + 50, 15, H + 50]], H, W)) == H * (W - 15)


HOSTILE = {
    'polygon with a hole in its numbers': ([[5, 6, 25, NAN, 25, 26, 5, 26]], 'polygon that is not finite'),
    'infinity': ([[5, 6, 25, INF, 25, 26, 5, 26]], 'polygon that is not finite'),
    'both infinities': ([[-INF, 6, 25, INF, 25, 26, 5, 26]], 'polygon that is not finite'),
    'null': ([[5, 6, 25, None, 25, 26]], 'polygon that is no number'),
    'text': ([[5, 6, 25, 'six', 25, 26]], 'polygon that is no number'),
    'text that Python reads as a number': ([[5, 6, 25, 'nan', 25, 26]], 'polygon that is no number'),
    'yes': ([[5, 6, 25, True, 25, 26]], 'polygon that is no number'),
    'object': ([[5, 6, 25, {}, 25, 26]], 'polygon that is no number'),
    'beyond the 32 bits of a scaled coordinate': ([[5, 6, 2e8, 6, 25, 26]], 'far outside'),
    'beyond 64 bits': ([[5, 6, 10**30, 6, 25, 26]], 'far outside'),
    'beyond all floats': ([[5, 6, 10**400, 6, 25, 26]], 'polygon that is not finite'),
    'far below zero': ([[5, 6, -1e6, 6, 25, 26]], 'far outside'),
    'too few points': ([[1, 2, 3, 4]], 'fewer than 3 points'),
    'nothing': ([], 'fewer than 3 points'),
    'a list of nothing': ([[]], 'fewer than 3 points'),
    'one number': ([3], 'fewer than 3 points'),
    'polygons and numbers': ([[5, 6, 25, 6, 25, 16], 3], 'mixed with numbers'),
    'three coordinates': ([[[5, 6, 1], [25, 6, 1], [25, 16, 1]]], 'nested too deep'),
    'deep': ([[[[5, 6]], [[25, 6]], [[25, 16]]]], 'nested too deep'),
    'text for all': ('5 6 25 6 25 16', 'neither polygons nor RLE'),
    'a number for all': (7, 'neither polygons nor RLE'),
    'none': (None, 'neither polygons nor RLE'),
    'no counts': (dict(size=[H, W]), 'empty RLE'),
    'null counts': (dict(size=[H, W], counts=None), 'empty RLE'),
    'empty counts': (dict(size=[H, W], counts=[]), 'empty RLE'),
    'empty text': (dict(size=[H, W], counts=''), 'empty RLE'),
    'counts that are an object': (dict(size=[H, W], counts={'0': 600}), 'empty RLE'),
    'no size': (dict(counts=[H * W]), 'another size'),
    'another size': (dict(size=[W, H], counts=[H * W]), 'another size'),
    'size that is text': (dict(size='20 30', counts=[H * W]), 'another size'),
    'size that is null': (dict(size=[H, None], counts=[H * W]), 'size of an RLE that is no number'),
    'too few pixels': (dict(size=[H, W], counts=[100, 5]), 'do not add up'),
    'too many pixels': (dict(size=[H, W], counts=[100, 5, 1000]), 'do not add up'),
    'runs beyond 64 bits': (dict(size=[H, W], counts=[10**30]), 'do not add up'),
    'runs that overflow to the right sum': (dict(size=[H, W], counts=[2**63 - 1, 2**63 - 1, H * W + 2]), 'do not add'),
    'run below zero': (dict(size=[H, W], counts=[-5, H * W + 5]), 'below zero'),
    'run with decimals': (dict(size=[H, W], counts=[0.5, H * W - 0.5]), 'no whole number'),
    'run that is null': (dict(size=[H, W], counts=[None, H * W]), 'no number'),
    'text that stops in a run': (dict(size=[H, W], counts='ho'), 'cannot be decoded'),
    'letters that there are not': (dict(size=[H, W], counts='h{~'), 'cannot be decoded'),
    'letters below': (dict(size=[H, W], counts='h !'), 'cannot be decoded'),
    'no letters of ASCII': (dict(size=[H, W], counts='hä'), 'cannot be decoded'),
    'a run of many letters': (dict(size=[H, W], counts='o' * 60 + '0'), 'cannot be decoded'),
    'text of too few pixels': (dict(size=[H, W], counts='11'), 'do not add up'),
    'text of a run below zero': (dict(size=[H, W], counts='1N1'), 'below zero'),
}


@pytest.mark.parametrize('name', HOSTILE)
def test_what_means_nothing_is_refused_with_its_reason(name):
    segmentation, reason = HOSTILE[name]
    with pytest.raises(BrokenRow, match=reason):
        masks.to_rle(segmentation, H, W)


def test_a_polygon_cannot_eat_the_memory():
    """Each of the edges is legal; pycocotools would need 80 bytes for each of 18 million pixels of outline."""
    zigzag = [v for _ in range(20_000) for v in (-W * 10, 0, W * 10, H)]
    with pytest.raises(BrokenRow, match='outline'):
        masks.read_mask([zigzag], H, W)
    fine = [v for k in range(5_000) for v in (k % W, k % H)]
    assert masks.read_mask([fine], H, W) == [fine]


def test_training_wants_a_pixel():
    empty = masks.empty_mask(H, W)
    assert masks.area(empty) == 0 and masks.read_mask(empty, H, W) == empty
    with pytest.raises(BrokenRow, match='empty RLE'):
        masks.usable_mask(empty, H, W)
    assert masks.usable_mask(SQUARE, H, W) == SQUARE


def test_arithmetic_against_arrays():
    rng = np.random.default_rng(1)
    arrays = [rng.random((H, W)) < share for share in (0, 0.1, 0.5, 0.9, 1)]
    rles = [masks.encode(array) for array in arrays]
    common = np.array([[(a & b).sum() for b in arrays] for a in arrays])
    assert np.array_equal(masks.intersections(rles, rles), common)
    assert np.array_equal(masks.areas(rles), common.diagonal())
    with np.errstate(invalid='ignore', divide='ignore'):
        expected = common / common.diagonal()[:, None]
    assert np.allclose(masks.shares(rles[1:], rles), expected[1:], atol=1e-12)
    assert masks.shares([], rles).shape == (0, 5) and masks.intersections(rles, []).shape == (5, 0)
    assert np.array_equal(masks.decode(masks.union(rles[:3])), arrays[0] | arrays[1] | arrays[2])
    ys, xs = np.nonzero(arrays[1])
    assert masks.bounding_box(rles[1]) == [xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1]
    assert masks.bounding_box(rles[0]) == [0, 0, 0, 0]
    assert not masks.decode(None, (H, W)).any() and masks.decode(None, (H, W)).shape == (H, W)
    with pytest.raises(ValueError, match='original size'):
        masks.decode(rles[1], (W, H))


def test_more_than_255_areas():
    assert masks.areas([masks.encode(np.ones((H, W)))] * 300).tolist() == [H * W] * 300
