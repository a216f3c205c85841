"""Sentences: cleaning, sides after a flip, ordinals and crops, lost objects."""
import numpy as np
import pytest
from image_files import write_refer
from mmdet.registry import TRANSFORMS
from pipelines import expression_pipeline

from projects.glee.datasets import Draw, MixtureDataset
from projects.glee.datasets.image import ReferDataset
from projects.glee.datasets.transforms import (
    CleanExpressions,
    PickExpression,
    SwapSidesOnFlip,
    UnlessOrdinal,
    clean_expression,
)


@pytest.mark.parametrize('raw, cleaned', [
    ('The LEFT-most man, standing.', 'the left most man standing'),
    ("  girl's  (red)  #5: hat/cap; *yes*!? \"ok\" ", 'girls red 5 hat cap yes ok'),
    ('woman', 'woman'),
    ('second from left - front', 'second from left front'),
    ('?', '?'),
])
def test_cleaning(raw, cleaned):
    assert clean_expression(raw) == cleaned
    results = CleanExpressions()(dict(text=[raw, 'x'], img_path='a.jpg'))
    assert results['text'] == [cleaned, 'x']


def test_blank_expression_is_an_error_that_names_it():
    with pytest.raises(ValueError, match='expression 1 of image a.jpg is empty'):
        CleanExpressions()(dict(text=['man', '  '], img_path='a.jpg'))


def test_pick_needs_one_object_per_expression():
    with pytest.raises(ValueError, match='a.jpg has 2 expressions for 1 objects'):
        PickExpression()(dict(text=['a', 'b'], instances=[{}], img_path='a.jpg'))


@pytest.mark.parametrize('before, after', [
    ('left of the right ring', 'right of the left ring'),
    ('bright copyright leftover', 'bright copyright leftover'),
    ('leftmost star', 'rightmost star'),
    ('second from left', 'second from right'),
    ('the star', 'the star'),
])
def test_sides_are_swapped_by_whole_words_on_horizontal_flips(before, after):
    swap = SwapSidesOnFlip()
    for direction, expected in (('horizontal', after), ('diagonal', after), ('vertical', before)):
        assert swap(dict(text=[before], flip=True, flip_direction=direction))['text'] == [expected]
    assert swap(dict(text=[before], flip=False, flip_direction=None))['text'] == [before]


def test_no_crop_with_an_ordinal():
    wrapped = UnlessOrdinal([dict(type='CropWindow', crop_size=(5, 8))])
    np.random.seed(0)
    for sentence, cropped in (('the second star', False), ('Tenth ring', False),
                              ('secondary star', True), ('star', True)):
        results = wrapped(dict(text=[sentence], img=np.zeros((20, 20, 3), np.uint8)))
        assert (results['img'].shape[:2] != (20, 20)) == cropped == results.get('cropped', False)


def dataset(root, *augmentations, sentences=('Left star',), box=(4, 4, 10, 10)):
    write_refer(root, [dict(ann=i, split='train', sentences=list(sentences)) for i in range(3)],
                [(1, 1, box), (1, 1, (30, 4, 10, 20)), (1, 1, (30, 25, 20, 20))])
    return ReferDataset(
        data_root=str(root), ann_file='refcoco/instances.json', split_file='refcoco/refs(unc).p',
        data_prefix=dict(img_path='train2014/'), split='train',
        pipeline=expression_pipeline(*augmentations))


def test_flip_moves_object_and_words_together(tmp_path):
    data = dataset(tmp_path, dict(type='RandomFlip', prob=1.0), dict(type='SwapSidesOnFlip'))
    sample = data[0]['data_samples']
    assert sample.text == ('right star', ) and sample.flip
    assert sample.gt_instances.bboxes.tensor.tolist() == [[50, 4, 60, 14]]
    assert sample.gt_instances.masks.masks[0, 4:14, 50:60].all()
    assert sample.gt_instances.masks.masks.sum() == 100


def test_crop_recomputes_the_box_from_the_mask(tmp_path):
    data = dataset(tmp_path, dict(type='CropWindow', crop_size=(20, 30)))
    np.random.seed(1)
    partial = 0
    for _ in range(60):
        sample = data[0]['data_samples']
        mask = sample.gt_instances.masks.masks[0]
        ys, xs = np.nonzero(mask)
        assert sample.gt_instances.bboxes.tensor.tolist() == [
            [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]]
        partial += mask.sum() < 100
    assert partial > 0


def test_uncropped_box_is_the_annotated_one(tmp_path):
    sample = dataset(tmp_path, box=(4.25, 4.25, 10, 10))[0]['data_samples']
    assert sample.gt_instances.bboxes.tensor.tolist() == [[4.25, 4.25, 14.25, 14.25]]


@pytest.mark.parametrize('allow_negative_crop', [True, False])
def test_a_lost_object_is_replaced_by_another_sample_repeatably(tmp_path, allow_negative_crop):
    crop = dict(type='CropWindow', crop_size=(20, 30), allow_negative_crop=allow_negative_crop)
    mixture = MixtureDataset([dataset(tmp_path, crop)])
    boxes, replaced = [], 0
    for number in range(60):
        sample = mixture[Draw.make(0, number, seed=1)]['data_samples']
        again = mixture[Draw.make(0, number, seed=1)]['data_samples']
        assert len(sample.gt_instances) == 1  # never without its object
        assert sample.gt_instances.masks.masks.sum() == again.gt_instances.masks.masks.sum()
        boxes.append(sample.gt_instances.bboxes.tensor.tolist())
        assert boxes[-1] == again.gt_instances.bboxes.tensor.tolist()
        replaced += sample.gt_instances.masks.masks.sum() > 100  # larger than object 0 is
    assert replaced > 0


def test_recipe_pieces_compose_with_stock_wrappers():
    crop_half_the_time = TRANSFORMS.build(dict(type='UnlessOrdinal', transforms=[
        dict(type='RandomApply', prob=0.5, transforms=[
            dict(type='RandomChoiceResize', scales=[(10**6, 40), (10**6, 60)],
                 resize_type='PillowResize', keep_ratio=True),
            dict(type='CropWindow', crop_size=(20, 30))])]))
    np.random.seed(0)
    shapes = [crop_half_the_time(dict(text=['a'], img=np.zeros((50, 80, 3), np.uint8)))['img'].shape
              for _ in range(200)]
    cropped = [shape for shape in shapes if shape != (50, 80, 3)]
    assert 70 < len(cropped) < 130
    heights, widths = np.array(cropped)[:, :2].T
    assert {20, 30} <= set(heights) and {20, 30} <= set(widths)
    assert heights.min() == widths.min() == 20 and heights.max() == widths.max() == 30
    assert abs(np.corrcoef(heights, widths)[0, 1]) < 0.3  # drawn independently
