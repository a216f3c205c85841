"""Prompts: what a user draws, samplers from ground truth, and their way through the pipeline."""
import copy

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, PolygonMasks

from projects.glee.models.data_preprocessors import GLEEDataPreprocessor
from projects.glee.prompts import rasters as rasters
from projects.glee.prompts import warp_mask
from projects.glee.prompts.samplers import SAMPLERS, box_of, sample_prompt


def blob(height=90, width=120, centre=(40, 60), radius=(20, 30)):
    y, x = np.mgrid[:height, :width]
    return ((y - centre[0]) / radius[0])**2 + ((x - centre[1]) / radius[1])**2 <= 1


def test_point_is_the_rectangle_clamped_inside():
    mask = rasters.point_mask((160, 240), 50, 30)
    expected = np.zeros((160, 240), bool)
    expected[30 - 4:30 + 4, 50 - 6:50 + 6] = True
    assert (mask == expected).all()
    corner = rasters.point_mask((160, 240), 0, 159)
    assert corner.sum() == 6 * 5 and corner[155:, :6].all()
    assert rasters.point_mask((20, 20), 3, 4).sum() == 4  # at least one pixel each way


def test_box_is_half_open_and_scales():
    small = rasters.box_mask((20, 30), (3, 4, 10, 9))
    assert small.sum() == 7 * 5 and small[4:9, 3:10].all()
    large = rasters.box_mask((40, 60), (6, 8, 20, 18))
    assert (large == small.repeat(2, 0).repeat(2, 1)).all()
    assert rasters.box_mask((20, 30), (-5, -5, 2.2, 1)).sum() == 3  # clipped, touched pixels count


def test_polygon_is_even_odd():
    square = rasters.polygon_mask((30, 30), [(5, 5), (20, 5), (20, 20), (5, 20)])
    assert square[6:20, 6:20].all() and square.sum() == 16 * 16
    # a path that runs around an inner square twice the other way leaves a hole
    ring = rasters.polygon_mask((30, 30), [(2, 2), (26, 2), (26, 26), (2, 26), (2, 2), (10, 10), (18, 10), (18, 18),
                                           (10, 18), (10, 10)])
    assert not ring[13:16, 13:16].any() and ring[5, 15]


def test_scribble_is_a_dilated_line():
    line = rasters.scribble_mask((160, 200), [(20, 50), (80, 50)])
    assert line[49:52, 20:81].all() and line.sum() == 3 * 61 + 2 and not line[47].any() and not line[53].any()
    assert rasters.scribble_mask((1600, 20), [(5, 800)]).sum(0).max() == 10  # H // 160


@pytest.mark.parametrize('draw, message', [
    (lambda: rasters.point_mask((20, 30), 30, 5), r'point \(30, 5\) is outside the image of 30 x 20'),
    (lambda: rasters.point_mask((20, 30), 4, -1), 'outside the image'),
    (lambda: rasters.box_mask((20, 30), (5, 5, 5, 9)), 'no area'),
    (lambda: rasters.box_mask((20, 30), (40, 5, 50, 9)), 'outside the image'),
    (lambda: rasters.polygon_mask((20, 30), [(1, 1), (2, 2)]), 'at least 3 vertices'),
    (lambda: rasters.polygon_mask((20, 30), [(50, 1), (60, 2), (55, 9)]), 'no pixel inside'),
    (lambda: rasters.scribble_mask((20, 30), []), 'at least one point'),
    (lambda: rasters.scribble_mask((20, 30), [(float('nan'), 2)]), 'not finite'),
    (lambda: rasters.drawn_mask((20, 30), np.zeros((20, 30))), 'no pixel'),
    (lambda: rasters.drawn_mask((20, 30), np.ones((30, 20))), r'the mask is \(30, 20\)'),
])
def test_impossible_prompts_are_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


@pytest.mark.parametrize('kind', list(SAMPLERS))
def test_samplers_stay_on_the_object(kind):
    mask = blob()
    left, top, right, bottom = box_of(mask)
    shapes = set()
    for seed in range(30):
        drawn = sample_prompt(kind, mask, np.random.default_rng(seed))
        again = sample_prompt(kind, mask, np.random.default_rng(seed))
        assert drawn.any() and (drawn == again).all()
        shapes.add(drawn.tobytes())
        if kind in ('scribble', 'circle', 'mask'):
            assert not (drawn & ~mask).any()
        elif kind in ('box', 'polygon'):
            outside = drawn.copy()
            outside[top:bottom, left:right] = False
            assert not outside.any()
        else:
            y, x = np.argwhere(drawn).mean(0)
            assert mask[int(y + .5), int(x + .5)] and drawn.sum() <= 4 * 6
    assert (len(shapes) > 20) == (kind not in ('box', 'mask'))


@pytest.mark.parametrize('kind', list(SAMPLERS))
def test_tiny_objects(kind):
    mask = np.zeros((60, 80), bool)
    mask[10, 10:19] = True
    assert sample_prompt(kind, mask, np.random.default_rng(0)) is None  # nine pixels
    mask[10, 19] = True
    for seed in range(20):
        assert sample_prompt(kind, mask, np.random.default_rng(seed)).any()


def record(masks, **extra):
    height, width = masks.shape[1:]
    return dict(img=np.zeros((height, width, 3), np.uint8), img_shape=(height, width), ori_shape=(height, width),
                img_id=7, img_path='a.jpg', gt_masks=BitmapMasks(masks.astype(np.uint8), height, width), **extra)


def test_simulated_prompts_depend_on_seed_and_image_alone():
    masks = np.stack([blob(), blob(centre=(60, 90), radius=(15, 15)), np.zeros((90, 120), bool)])
    make = Compose([dict(type='SimulatePrompts', kinds=dict(point=1, scribble=1, box=1), seed=3)])
    first, second = make(record(masks))['prompts'], make(record(masks))['prompts']
    assert first['object_ids'].tolist() == [0, 1]  # the empty mask has no prompt
    assert (first['masks'] == second['masks']).all() and first['kinds'] == second['kinds']
    other = make(dict(record(masks), img_id=8))['prompts']
    assert (other['masks'] != first['masks']).any()
    one = Compose([dict(type='SimulatePrompts', kinds=dict(mask=1), max_objects=1)])(record(masks))['prompts']
    assert len(one['masks']) == 1 and (one['masks'][0] == masks[one['object_ids'][0]]).all()


def test_polygons_are_prompted_as_their_bitmaps():
    polygon = PolygonMasks([[np.array([10., 10, 40, 10, 40, 30, 10, 30])]], 60, 80)
    made = Compose([dict(type='SimulatePrompts', kinds=dict(mask=1))])(
        dict(img_id=1, img_path='a', img_shape=(60, 80), gt_masks=polygon))['prompts']['masks'][0]
    assert made[12:29, 12:39].all() and made.sum() == 20 * 30


@pytest.mark.parametrize('flip', [0., 1.])
@pytest.mark.parametrize('scale', [(10000, 180), (10000, 61), (10000, 50)])
def test_prompts_move_with_the_masks(flip, scale):
    """A mask prompt drawn before flip, resize and crop equals the object's mask after them."""
    masks = np.stack([blob(), blob(centre=(60, 90), radius=(15, 15))])
    whole = HorizontalBoxes(np.array([[0, 0, 120, 90]] * 2, np.float32))  # so that the crop drops no object
    np.random.seed(1)
    moved = Compose([
        dict(type='SimulatePrompts', kinds=dict(mask=1)),
        dict(type='RandomFlip', prob=flip),
        dict(type='PillowResize', scale=scale, keep_ratio=True),
        dict(type='CropWindow', crop_size=(45, 60)),
        dict(type='WarpPrompts')
    ])(record(masks, gt_bboxes=whole, gt_bboxes_labels=np.zeros(2, int), gt_ignore_flags=np.zeros(2, bool)))
    truth = moved['gt_masks'].masks.astype(bool)[moved['prompts']['object_ids']]
    assert moved['prompts']['masks'].any() and moved['prompts']['masks'].shape == truth.shape
    # pillow and we may round a boundary of float32 scales differently
    assert (moved['prompts']['masks'] != truth).sum() <= 0.02 * truth.sum()


@pytest.mark.parametrize('flip', [False, True])
def test_a_point_arrives_in_the_batch(flip):
    """Drawn, flipped, resized by two, moved, packed and padded: the rectangle of the click, by hand."""
    masks = np.zeros((1, 45, 70), bool)
    masks[0, 20:24, 30:33] = True  # twelve pixels
    whole = HorizontalBoxes(np.array([[30, 20, 33, 24]], np.float32))
    packed = Compose([
        dict(type='SimulatePrompts', kinds=dict(point=1), seed=5),
        dict(type='RandomFlip', prob=float(flip)),
        dict(type='PillowResize', scale=(10000, 90), keep_ratio=True),
        dict(type='WarpPrompts'),
        dict(type='SetSource', source='coco', supervision=('mask', )),
        dict(type='PackGLEEInputs')
    ])(record(masks, gt_bboxes=whole, gt_bboxes_labels=np.zeros(1, int), gt_ignore_flags=np.zeros(1, bool),
              text=('blob', ), text_mode='category'))
    other = dict(inputs=torch.zeros(3, 100, 150, dtype=torch.uint8), data_samples=copy.deepcopy(packed['data_samples']))
    del other['data_samples'].prompts
    other['data_samples'].set_metainfo(dict(img_shape=(100, 150)))
    other['data_samples'].gt_instances.masks = BitmapMasks(np.zeros((1, 100, 150), np.uint8), 100, 150)
    batch = GLEEDataPreprocessor()(dict(inputs=[packed['inputs'], other['inputs']],
                                        data_samples=[packed['data_samples'], other['data_samples']]), True)
    sample = batch['data_samples'][0]
    assert sample.flip == flip and batch['inputs'].shape == (2, 3, 128, 160)
    assert 'prompts' not in batch['data_samples'][1]
    # the click is one pixel of the object; 45 // 40 and 70 // 40 are 1: [y - 1, y + 1) x [x - 1, x + 1)
    rng = np.random.default_rng([5, 7])
    rng.choice(1, p=[1.])
    rng.integers(1, 2)
    y, x = np.argwhere(masks[0])[rng.choice(12, 1, replace=False)[0]]
    left = 70 - (x + 1) if flip else x - 1
    expected = np.zeros((128, 160), bool)
    expected[2 * (y - 1):2 * (y + 1), 2 * left:2 * left + 4] = True
    assert sample.prompts.kinds == ['point'] and sample.prompts.object_ids.tolist() == [0]
    assert np.array_equal(sample.prompts.masks[0].numpy(), expected) and not sample.prompts.neg_masks.any()
    # and it still lies on the object
    truth = sample.gt_instances.masks.masks[0].astype(bool)
    assert truth.shape == (128, 160) and (truth & expected).any()


def test_original_annotations_after_the_resize():
    """Test pipelines load annotations in original pixels after the resize; prompts follow the image."""
    mask = blob()
    resized = Compose([dict(type='PillowResize', scale=(10000, 180), keep_ratio=True)])(record(mask[None]))
    resized['gt_masks'] = BitmapMasks(mask[None].astype(np.uint8), 90, 120)
    moved = Compose([dict(type='SimulatePrompts', kinds=dict(mask=1), original=True), dict(type='WarpPrompts')])(
        resized)['prompts']['masks'][0]
    assert (moved == mask.repeat(2, 0).repeat(2, 1)).all()


def test_axes_may_change_places_or_turn():
    """A quarter turn, and a turn by any angle, looked up pixel by pixel."""
    mask = np.random.default_rng(0).random((20, 30)) < 0.4
    quarter = np.array([[0., 1, 0], [-1, 0, 30], [0, 0, 1]])
    assert (warp_mask(mask, quarter, (30, 20)) == np.rot90(mask)).all()
    turn = np.array([[0.8, -0.6, 9], [0.6, 0.8, -4], [0, 0, 1]])
    warped = warp_mask(mask, turn, (25, 35))
    for y, x in np.ndindex(25, 35):
        column, row, _ = np.linalg.inv(turn) @ (x + 0.5, y + 0.5, 1)
        inside = 0 <= column < 30 and 0 <= row < 20
        assert warped[y, x] == (inside and mask[int(row), int(column)])


def test_a_swallowed_prompt_keeps_a_pixel_and_one_outside_none():
    mask = np.zeros((90, 90), bool)
    mask[31, 31] = True
    shrink = np.diag([0.1, 0.1, 1.])
    assert np.argwhere(warp_mask(mask, shrink, (9, 9))).tolist() == [[3, 3]]
    away = np.array([[1., 0, -50], [0, 1, 0], [0, 0, 1]])
    assert not warp_mask(mask, away, (40, 40)).any()


def test_missing_masks_and_bad_kinds_are_named():
    with pytest.raises(KeyError, match='no masks to make prompts from'):
        Compose([dict(type='SimulatePrompts', kinds=dict(box=1))])(dict(img_path='a'))
    with pytest.raises(ValueError, match='kinds'):
        Compose([dict(type='SimulatePrompts', kinds=dict(cross=1))])
