"""Large-scale jittering and square padding, from files to padded batches and back to the image."""
import numpy as np
import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from mmengine.structures import InstanceData
from PIL import Image

from projects.glee.datasets.transforms import (
    FitSquare,
    ForEachFrame,
    JitterScale,
    LargeScaleJitter,
    PackClip,
    PackFrame,
    PackGLEEInputs,
    PadSquare,
    PillowResize,
    SetSource,
    UnlessOrdinal,
)
from projects.glee.models.data_preprocessors import GLEEDataPreprocessor, GLEEVideoDataPreprocessor
from projects.glee.models.seg_heads import GLEEFusionHead
from projects.glee.structures.selected_queries import SelectedQueries

SIZE = (40, 60)
TRIANGLE = np.array([6.0, 4.0, 50.0, 10.0, 20.0, 36.0])


def sample(**extra):
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    return dict(img=pixels, img_shape=SIZE, ori_shape=SIZE, gt_bboxes_labels=np.zeros(1, np.int64),
                gt_masks=PolygonMasks([[TRIANGLE]], *SIZE), gt_bboxes=HorizontalBoxes([[6., 4., 50., 36.]]), **extra)


def resized(pixels, height, width):
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def box_of(mask):
    rows, columns = np.where(mask)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_small_scale_is_padded_with_grey():
    results = LargeScaleJitter(32, (0.5, 0.5))(sample())
    assert results['img'].shape == (32, 32, 3)
    assert results['img_shape'] == (11, 16)  # content: the long side is 0.5 x 32
    assert (results['img'][:11, :16] == resized(sample()['img'], 11, 16)).all()
    assert (results['img'][11:] == 128).all() and (results['img'][:, 16:] == 128).all()
    masks = results['gt_masks']
    assert isinstance(masks, BitmapMasks) and masks.masks.shape == (1, 32, 32)
    assert not masks.masks[:, 11:].any() and not masks.masks[:, :, 16:].any()
    assert results['gt_bboxes'].tensor.tolist() == [box_of(masks.masks[0])]


def test_large_scale_is_cropped_and_boxes_follow_the_masks():
    np.random.seed(0)
    whole = resized(sample()['img'], 43, 64)
    offsets = set()
    for _ in range(20):
        results = LargeScaleJitter(32, (2.0, 2.0))(sample())
        assert results['img_shape'] == (32, 32)
        places = [(y, x) for y in range(12) for x in range(33)
                  if (whole[y:y + 32, x:x + 32] == results['img']).all()]
        assert len(places) == 1  # a window of the enlarged image
        offsets.update(places)
        mask = results['gt_masks'].masks[0]
        assert results['gt_bboxes'].tensor.tolist() == [box_of(mask)]
        column, row = (TRIANGLE.reshape(3, 2).mean(0) * 64 / 60 - places[0][::-1]).astype(int)
        if 0 <= row < 32 and 0 <= column < 32:  # the window holds the centre of the triangle
            assert mask[row, column]
    assert len(offsets) > 10


def test_without_masks_the_annotated_box_is_clipped():
    results = sample()
    del results['gt_masks']
    results = LargeScaleJitter(32, (2.0, 2.0))(results)
    box, = results['gt_bboxes'].tensor
    assert (box >= 0).all() and (box <= 32).all() and 'gt_masks' not in results


def test_counting_expressions_only_shrink():
    np.random.seed(0)
    unless_ordinal = UnlessOrdinal([dict(type='CropWindow', crop_size=(999, 1000))])
    jitter = LargeScaleJitter(32, (0.5, 2.0))

    def shapes(sentence):
        return [jitter(unless_ordinal(sample(text=[sentence])))['img_shape'] for _ in range(30)]

    whole = shapes('the second star')
    assert all(abs(width / height - 60 / 40) < 0.1 and width <= 32 for height, width in whole)
    assert len(set(whole)) > 5
    assert shapes('a star').count((32, 32)) > 5  # cropped


def test_predictions_are_cut_and_scaled_to_the_original_image():
    results = dict(img=np.full((*SIZE, 3), 200, np.uint8), ori_shape=SIZE, text=('star', ), img_path='p.jpg')
    for step in (PillowResize(scale=(96, 96), keep_ratio=True), PadSquare(96), SetSource('test'), PackGLEEInputs()):
        results = step(results)
    data = GLEEDataPreprocessor()(dict(inputs=[results['inputs']], data_samples=[results['data_samples']]))
    meta = data['data_samples'][0].metainfo
    assert data['inputs'].shape == (1, 3, 96, 96) == (1, 3, *meta['batch_input_shape'])
    assert meta['img_shape'] == (64, 96)
    grey = (128 - torch.tensor([123.675, 116.28, 103.53])) / torch.tensor([58.395, 57.12, 57.375])
    torch.testing.assert_close(data['inputs'][0, :, 64:], grey[:, None, None].expand(3, 32, 96))
    selected = SelectedQueries(torch.ones(1), torch.zeros(1), torch.tensor([[0.5, 0.25, 0.25, 0.5]]))
    logits = torch.full((1, 12, 12), -20.)
    logits[:, :6, 3:6] = 20.  # stride 8: rows 0..48, columns 24..48 of the square
    result = GLEEFusionHead().predict([selected], [logits], data['data_samples'])[0]['ins_results']
    assert result.bboxes.tolist() == [[22.5, 0, 37.5, 30]]
    assert result.masks.shape == (1, *SIZE) and box_of(result.masks[0].numpy()) == [15, 0, 30, 30]


def test_a_clip_shares_the_scale_and_draws_a_window_per_frame():
    """Both halves on two copies of a frame: equal content, different windows, identities kept with their masks."""
    np.random.seed(0)
    steps = [ForEachFrame([JitterScale(32, (2.0, 2.5))], share=True), ForEachFrame([FitSquare(32)])]
    different, scales = 0, set()
    for _ in range(20):
        results = dict(frames=[sample(gt_instances_ids=np.array([7])) for _ in range(2)])
        for step in steps:
            results = step(results)
        first, second = results['frames']
        assert first['scale'] == second['scale'] and first['img_shape'] == second['img_shape'] == (32, 32)
        scales.add(first['scale'])
        different += not np.array_equal(first['img'], second['img'])
        for frame in (first, second):
            assert len(frame['gt_instances_ids']) == len(frame['gt_masks'].masks) == len(frame['gt_bboxes'])
    assert different > 15 and len(scales) > 5


@pytest.mark.parametrize('training', [True, False])
def test_grey_squares_of_clips_stay_grey_and_whole(training):
    """Two frames of other sizes in a 96 px square: the padding is 128 before normalisation, content is untouched."""
    frames = []
    for height in (40, 20):
        frame = dict(img=np.full((height, 60, 3), 200, np.uint8), ori_shape=(height, 60), text=('star', ), img_path='p')
        for step in (PillowResize(scale=(96, 96), keep_ratio=True), PadSquare(96), SetSource('test'), PackFrame()):
            frame = step(frame)
        frame['data_samples'].gt_instances = InstanceData(labels=torch.zeros(0, dtype=torch.long))
        frames.append(frame)
    packed = PackClip()(dict(frames=frames))
    data = GLEEVideoDataPreprocessor(batch_augments=None)(
        dict(inputs=[packed['inputs']], data_samples=[packed['data_samples']]), training)
    assert data['inputs'].shape == (1, 2, 3, 96, 96)
    mean, std = torch.tensor([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]])
    for number, height in enumerate((64, 32)):
        meta = data['data_samples'][0][number].metainfo
        assert meta['img_shape'] == (height, 96) and tuple(meta['batch_input_shape']) == (96, 96)
        picture = data['inputs'][0, number] * std[:, None, None] + mean[:, None, None]
        torch.testing.assert_close(picture[:, :height], torch.full((3, height, 96), 200.))
        torch.testing.assert_close(picture[:, height:], torch.full((3, 96 - height, 96), 128.))


def test_an_image_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match='p.jpg: 40 x 60 px'):
        PadSquare(48)(dict(img=np.zeros((*SIZE, 3), np.uint8), img_path='p.jpg'))
