"""Masks that stay encoded give the numbers of bitmaps, without stacks at the picture's size."""
import tracemalloc

import numpy as np
import pycocotools.mask as mask_utils
import pytest
from logs import captured_log
from mmdet.datasets.transforms import RandomFlip
from mmdet.structures.mask import BitmapMasks

from projects.glee.datasets.transforms import (
    CropWindow,
    LazyMasks,
    LoadInstances,
    PackGLEEInputs,
    PillowResize,
    RasterizeMasks,
)

HEIGHT, WIDTH = 93, 131


@pytest.fixture
def masks():
    rng = np.random.default_rng(0)
    blobs = rng.random((5, HEIGHT, WIDTH)) < 0.5
    return blobs.astype(np.uint8)


def encode(masks):
    return [mask_utils.encode(np.asfortranarray(mask)) for mask in masks]


def pair(masks):
    return (LazyMasks(encode(masks), HEIGHT, WIDTH), BitmapMasks(masks, HEIGHT, WIDTH))


def through(masks, steps):
    """The masks after transforms that handle them with picture and boxes."""
    np.random.seed(3)
    results = dict(
        img=np.zeros((HEIGHT, WIDTH, 3), np.uint8), img_shape=(HEIGHT, WIDTH), gt_masks=masks,
        gt_bboxes=BitmapMasks(masks.to_ndarray(), HEIGHT, WIDTH).get_bboxes('hbox'),
        gt_bboxes_labels=np.zeros(len(masks), int), gt_ignore_flags=np.zeros(len(masks), bool))
    for step in steps:
        results = step(results)
    return results['gt_masks']


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
@pytest.mark.parametrize('scale', [(400, 57), (61, 400), (1000, 200)])
def test_the_pipeline_gives_the_bitmaps_of_pillow(masks, direction, scale):
    def steps():
        return [RandomFlip(prob=1.0, direction=direction), PillowResize(scale=scale, keep_ratio=True),
                CropWindow((40, 60)), PillowResize(scale=(90, 70), keep_ratio=False), RasterizeMasks()]

    lazy, bitmap = (through(m, steps()) for m in pair(masks))
    assert isinstance(lazy, BitmapMasks)
    assert lazy.masks.shape == bitmap.masks.shape and (lazy.masks == bitmap.masks).all()
    assert 0 < lazy.masks.mean() < 1


def test_single_operations(masks):
    lazy, bitmap = pair(masks)
    for index in (slice(1, 3), [4, 0], np.array([True, False, True, False, False]), 2):
        assert (lazy[index].to_ndarray() == bitmap[index].to_ndarray().reshape(-1, HEIGHT, WIDTH)).all()
    assert (lazy.pad((120, 150)).to_ndarray() == bitmap.pad((120, 150)).to_ndarray()).all()
    assert (lazy.expand(200, 300, 5, 7).to_ndarray() == bitmap.expand(200, 300, 5, 7).to_ndarray()).all()
    box = np.array([-3, 10, 50, 400])
    assert (lazy.crop(box).to_ndarray() == bitmap.crop(np.array([0, 10, 50, HEIGHT])).to_ndarray()).all()
    assert (lazy.areas == bitmap.areas).all() and len(lazy) == 5
    assert (lazy.get_bboxes('hbox').tensor == bitmap.get_bboxes('hbox').tensor).all()
    assert lazy.rescale(0.5).to_ndarray().shape == (5, 47, 66)
    with pytest.raises(ValueError, match='background only'):
        lazy.pad((120, 150), 255)


def test_loading_mixes_polygons_and_rle_and_packing_decodes(masks):
    results = dict(
        img=np.zeros((HEIGHT, WIDTH, 3), np.uint8), ori_shape=(HEIGHT, WIDTH), img_shape=(HEIGHT, WIDTH),
        img_path='p.jpg', instances=[
            dict(bbox=[0, 0, 9, 9], bbox_label=0, mask=encode(masks)[0]),
            dict(bbox=[2, 3, 12, 15], bbox_label=0, mask=[[2, 3, 12, 3, 12, 15, 2, 15]])])
    results = LoadInstances()(results)
    assert isinstance(results['gt_masks'], LazyMasks)
    results.update(text=('a', ), source='s', supervision=('mask', ), text_mode='category', label_table='s')
    packed = PackGLEEInputs()(results)['data_samples'].gt_instances.masks
    assert (packed.masks[0] == masks[0]).all()
    assert packed.masks[1].sum() == 120 and packed.masks[1, 3:15, 2:12].all()
    results['instances'][0]['mask'] = dict(encode(masks)[0], size=[5, 5])
    with captured_log() as messages:
        trained, tested = (LoadInstances(keep_unmasked=keep)(dict(results)) for keep in (False, True))
    assert sum('p.jpg' in m and 'RLE of another size than the image (1 so far)' in m for m in messages) == 2
    # training leaves the object out, a test keeps its box with a mask of nothing
    assert trained['gt_bboxes'].tensor.tolist() == [[2, 3, 12, 15]] and trained['gt_bboxes_labels'].tolist() == [0]
    assert len(tested['gt_bboxes']) == 2 and tested['gt_masks'].areas.tolist() == [0, 120]


def test_a_crowded_picture_never_has_a_stack_at_its_own_size():
    height, width, count = 1500, 2250, 300
    mask = np.zeros((height, width), np.uint8, order='F')
    mask[100:900, 100:900] = 1
    rle = mask_utils.encode(mask)
    tracemalloc.start()
    lazy = LazyMasks([rle] * count, height, width).resize((400, 600)).crop(np.array([0, 0, 300, 300]))
    bitmap = lazy.to_bitmap()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bitmap.masks.shape == (count, 300, 300)
    assert peak < 60e6 < height * width * count / 10  # a stack would be 1012 MB
