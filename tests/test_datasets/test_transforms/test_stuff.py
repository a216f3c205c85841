"""Stuff of panoptic maps among the objects."""
import numpy as np
import pytest
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from projects.glee.datasets.transforms import StuffAsObjects

THING, GRASS, SKY = np.zeros((3, 6, 8), np.uint8)
THING[2:4, 2:5] = 1
SKY[0:2, 1:8] = 1
GRASS[4:6] = 1


def sample(labels_of_pixels):
    return dict(
        img_path='a.jpg', text=('cat', 'dog'), stuff_text=('grass', 'road', 'sky'), gt_seg_map=labels_of_pixels,
        gt_masks=BitmapMasks([THING], 6, 8), gt_bboxes=HorizontalBoxes(np.array([[2., 2., 5., 4.]])),
        gt_bboxes_labels=np.array([1]), gt_ignore_flags=np.array([False]))


def test_each_stuff_name_is_one_object():
    labels = np.full((6, 8), 255)
    for mask, label in ((THING, 1), (GRASS, 2), (SKY, 4)):
        labels[mask > 0] = label
    found = StuffAsObjects()(sample(labels))
    assert found['text'] == ('cat', 'dog', 'grass', 'road', 'sky')
    assert found['gt_bboxes_labels'].tolist() == [1, 2, 4]
    assert (found['gt_masks'].masks == np.stack([THING, GRASS, SKY])).all()
    assert found['gt_bboxes'].tensor.tolist() == [[2, 2, 5, 4], [0, 4, 8, 6], [1, 0, 8, 2]]
    assert found['gt_ignore_flags'].tolist() == [False] * 3
    assert not {'stuff_text', 'gt_seg_map'} & set(found)


def test_a_picture_without_stuff_has_its_names_all_the_same():
    found = StuffAsObjects()(sample(np.where(THING > 0, 1, 255)))
    assert found['gt_bboxes_labels'].tolist() == [1] and len(found['text']) == 5


def test_a_data_set_that_gives_no_names_is_told_so():
    without = sample(np.zeros((6, 8)))
    del without['stuff_text']
    with pytest.raises(KeyError, match='return_classes=True'):
        StuffAsObjects()(without)
