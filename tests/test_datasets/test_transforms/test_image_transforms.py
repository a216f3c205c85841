"""Pictures, polygons, bitmaps and boxes through loading, resizing and cropping."""
import numpy as np
import pycocotools.mask as mask_utils
import pytest
from image_files import edit_json, save_image, write_coco
from logs import captured_log
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from PIL import Image
from pipelines import category_pipeline
from torch.utils.data import DataLoader

from projects.glee.datasets.image import TextCocoDataset
from projects.glee.datasets.transforms import (
    BoxesFromMasks,
    CropWindow,
    LoadImage,
    LoadInstances,
    PackGLEEInputs,
    PillowResize,
    RasterizeMasks,
    SetSource,
)

ANN = 'annotations/instances_train2017.json'


def coco(root, pipeline, **kwargs):
    return TextCocoDataset(data_root=str(root), ann_file=ANN, data_prefix=dict(img='train2017/'),
                           pipeline=pipeline, **kwargs)


@pytest.mark.parametrize('size, scale, expected', [
    ((427, 640), (1333, 800), (800, 1199)),   # short side decides
    ((300, 900), (1333, 800), (444, 1333)),   # long side decides
    ((333, 500), (10**6, 400), (400, 601)),   # no long limit
    ((160, 160), (1333, 149), (149, 149)),
])
def test_resize_rounds_half_up_and_uses_pillow(size, scale, expected):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    results = PillowResize(scale=scale, keep_ratio=True)(dict(img=pixels))
    factor = min(max(scale) / max(size), min(scale) / min(size))
    assert results['img_shape'] == expected == tuple(int(s * factor + 0.5) for s in size)
    picture = Image.fromarray(pixels).resize(expected[::-1], Image.Resampling.BILINEAR)
    assert (results['img'] == np.asarray(picture)).all()


def test_polygons_move_as_coordinates_and_bitmaps_as_nearest_pixels():
    polygon = np.array([3.3, 2.2, 17.9, 5.1, 11.4, 18.7])
    size, scale = (20, 30), (1000, 48)
    bitmap = mask_utils.decode(mask_utils.merge(
        mask_utils.frPyObjects([polygon.tolist()], *size)))

    def resized(masks):
        results = dict(img=np.zeros((*size, 3), np.uint8), gt_masks=masks,
                       gt_bboxes=HorizontalBoxes([[3.3, 2.2, 17.9, 18.7]]))
        return RasterizeMasks()(PillowResize(scale=scale, keep_ratio=True)(results))

    results = resized(PolygonMasks([[polygon]], *size))
    height, width = results['img_shape']
    assert (height, width) == (48, 72)
    factors = np.array([width / 30, height / 20] * 3)
    expected = mask_utils.decode(mask_utils.merge(
        mask_utils.frPyObjects([(polygon * factors).tolist()], height, width)))
    assert (results['gt_masks'].masks[0] == expected).all()
    assert np.allclose(results['gt_bboxes'].tensor.numpy(),
                       np.array([[3.3, 2.2, 17.9, 18.7]]) * factors[:4])
    results = resized(BitmapMasks(bitmap[None], *size))
    rows = ((np.arange(height) + 0.5) * 20 / height).astype(int)
    columns = ((np.arange(width) + 0.5) * 30 / width).astype(int)
    assert (results['gt_masks'].masks[0] == bitmap[rows][:, columns]).all()


def test_empty_masks_survive_every_step():
    for masks in (PolygonMasks([], 20, 30), BitmapMasks([], 20, 30)):
        results = dict(img=np.zeros((20, 30, 3), np.uint8), gt_masks=masks,
                       gt_bboxes=HorizontalBoxes(np.zeros((0, 4), np.float32)))
        for step in (PillowResize(scale=(100, 40), keep_ratio=True), CropWindow((10, 12)),
                     RasterizeMasks(), BoxesFromMasks()):
            results = step(results)
        assert results['gt_masks'].masks.shape == (0, *results['img'].shape[:2])
        assert results['gt_bboxes'].tensor.shape == (0, 4)


def test_boxes_from_masks_are_max_index_plus_one():
    masks = np.zeros((2, 9, 12), np.uint8)
    masks[0, 2:5, 3:11] = 1
    masks[0, 7, 4] = 1
    results = dict(gt_masks=BitmapMasks(masks, 9, 12), gt_bboxes='annotated')
    assert BoxesFromMasks()(dict(results))['gt_bboxes'] == 'annotated'
    for boxes in (BoxesFromMasks()(dict(results, cropped=True))['gt_bboxes'],
                  BoxesFromMasks(only_if_cropped=False)(dict(results))['gt_bboxes']):
        assert boxes.tensor.tolist() == [[3, 2, 11, 8], [0, 0, 0, 0]]


def test_crop_of_a_detection_image_clips_boxes_and_may_leave_nothing(tmp_path):
    root = write_coco(tmp_path, ('star', ), [[(0, (2, 3, 12, 12)), (0, (40, 30, 20, 15))]])
    # an L-shaped object: its box is not that of its visible mask
    edit_json(root / ANN, lambda content: content['annotations'][0].update(
        segmentation=[[2, 3, 14, 3, 14, 5, 4, 5, 4, 15, 2, 15]]))
    data = coco(root, category_pipeline(dict(type='CropWindow', crop_size=(8, 16))))
    np.random.seed(0)
    counts = np.zeros(3, dtype=int)
    for _ in range(150):
        packed = data[0]
        instances = packed['data_samples'].gt_instances
        height, width = packed['inputs'].shape[1:]
        assert 8 <= height <= 16 and 8 <= width <= 16
        counts[len(instances)] += 1
        boxes = instances.bboxes.tensor
        assert (boxes >= 0).all() and (boxes[:, 2::2] <= width).all()
        assert (boxes[:, 3::2] <= height).all()
        assert (instances.masks.masks.sum((1, 2)) > 0).all()  # a box without mask left the targets
        assert len(instances.labels) == len(instances.masks)
    assert counts[0] > 0 and counts[1] > 0


def test_tiny_boxes_and_empty_masks_are_dropped(tmp_path):
    sliver = (20, 20, 1.0, 8)
    root = write_coco(tmp_path, ('star', ), [[(0, (2, 3, 12, 12)), (0, sliver), (0, (3, 3, 9, 9))]])

    def change(content):
        content['annotations'][1]['segmentation'] = [[20.1, 20, 20.2, 20, 20.2, 20.3, 20.1, 20.3]]
        content['annotations'][2]['segmentation'] = [[1, 2, 3, 4]]  # no polygon at all

    edit_json(root / ANN, change)
    sample = coco(root, category_pipeline())[0]['data_samples']
    assert sample.gt_instances.bboxes.tensor.tolist() == [[2, 3, 14, 15]]


def test_rle_and_mixed_images_load(tmp_path):
    root = write_coco(tmp_path, ('star', ), [[(0, (2, 3, 12, 12)), (0, (30, 10, 20, 15))]])
    expected = coco(root, category_pipeline())[0]['data_samples'].gt_instances.masks.masks

    def to_rle(content):
        rle = mask_utils.encode(np.asfortranarray(expected[1]))
        content['annotations'][1]['segmentation'] = {
            'size': rle['size'], 'counts': rle['counts'].decode()}

    edit_json(root / ANN, to_rle)
    sample = coco(root, category_pipeline(dict(type='RandomFlip', prob=1.0)))[0]['data_samples']
    assert (sample.gt_instances.masks.masks == expected[:, :, ::-1]).all()


def test_exif_rotation_is_applied(tmp_path):
    path = tmp_path / 'turned.jpg'
    picture = Image.new('RGB', (40, 20))
    picture.paste((255, 0, 0), (0, 0, 20, 20))  # red left half
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: left becomes top
    picture.save(path, exif=exif, quality=95)
    results = LoadImage()(dict(img_path=str(path), height=40, width=20))
    assert results['img'].shape == (40, 20, 3) and results['ori_shape'] == (40, 20)
    assert results['img'][2:18, :, 2].min() > 240 and results['img'][22:, :, 2].max() < 15  # BGR


def broken_root(tmp_path):
    """Image 1 is missing, 2 is cut short, 3 has another size than annotated, 4 and 5 are good."""
    root = write_coco(tmp_path, ('star', ), [[(0, (2, 3, 12, 12))]] * 5)
    folder = root / 'train2017'
    (folder / '000000000001.jpg').unlink()
    cut = folder / '000000000002.jpg'
    cut.write_bytes(cut.read_bytes()[:2000])
    save_image(folder / '000000000003.jpg', 30, 30)
    return root


def test_unreadable_image_at_test_is_a_black_one_and_named(tmp_path):
    data = coco(broken_root(tmp_path), category_pipeline(), test_mode=True)
    with captured_log() as messages:
        packed = [data[index] for index in range(5)]
    for index in range(3):
        assert f'00000{index + 1}.jpg' in messages[index] and f'nothing counts as found ({index + 1} so far)' in (
            messages[index])
        sample = packed[index]['data_samples']
        assert sample.unreadable and not packed[index]['inputs'].any() and sample.ori_shape == (48, 64)
        assert len(sample.gt_instances) == 1
    assert len(messages) == 3 and '000000000003.jpg: it is (30, 30)' in messages[2]
    assert packed[3]['data_samples'].text == ('star', ) and 'unreadable' not in packed[3]['data_samples']


def test_unreadable_images_without_a_size_and_folders_without_any_are_errors(tmp_path):
    load = LoadImage()
    with pytest.raises(ValueError, match='cannot use image gone.jpg'):
        load(dict(img_path='gone.jpg'))
    load = LoadImage()
    for _ in range(9):
        assert load(dict(img_path='gone.jpg', height=4, width=5))['img'].shape == (4, 5, 3)
    with pytest.raises(ValueError, match='gone.jpg.*none of 10 pictures could be used: check data_root'):
        load(dict(img_path='gone.jpg', height=4, width=5))
    save_image(tmp_path / 'there.jpg', 5, 4)
    load(dict(img_path=str(tmp_path / 'there.jpg'), height=4, width=5))
    assert load(dict(img_path='gone.jpg', height=4, width=5))['unreadable']


@pytest.mark.parametrize('workers', [0, 2])
def test_unreadable_images_in_training_are_counted_skips(tmp_path, workers):
    data = coco(broken_root(tmp_path), category_pipeline(skip=True), check_files=False)
    np.random.seed(0)
    loader = DataLoader(data, batch_size=1, num_workers=workers, collate_fn=list)
    with captured_log() as messages:
        paths = [batch[0]['data_samples'].img_path[-5:] for batch in loader]
    assert len(paths) == 5 and set(paths) <= {'4.jpg', '5.jpg'}
    load = data.pipeline.transforms[0]
    assert load.skipped.value >= 3  # also of what the workers skipped
    if workers == 0:
        messages = [message for message in messages if 'cannot use' in message]
        assert len(messages) == load.skipped.value
        assert f'{len(messages)} skipped so far' in messages[-1]
        assert any('000000000003.jpg: it is (30, 30)' in message for message in messages)


def test_a_folder_without_any_readable_image_fails(tmp_path):
    root = write_coco(tmp_path, ('star', ), [[(0, (2, 3, 12, 12))]])
    (root / 'train2017' / '000000000001.jpg').unlink()
    data = coco(root, category_pipeline(skip=True), max_refetch=5, check_files=False)
    with pytest.raises(Exception, match='Cannot find valid image'):
        data[0]


def test_packing_refuses_incomplete_samples():
    good = dict(img=np.zeros((4, 4, 3), np.uint8), text=['a'], img_path='p.jpg', sample_idx=0)
    good = SetSource('coco', label_table='shared')(good)
    packed = PackGLEEInputs()(dict(good))['data_samples']
    assert packed.text == ('a', ) and packed.label_table == 'shared'
    for key in ('text', 'source', 'supervision'):
        with pytest.raises(KeyError, match=f'p.jpg lacks .*{key}'):
            PackGLEEInputs()({k: v for k, v in good.items() if k != key})
    of_a_program = {key: value for key, value in good.items() if key not in ('text', 'sample_idx')}
    assert 'text' not in PackGLEEInputs()(of_a_program)['data_samples']
    for text in ([], ['a', '']):
        with pytest.raises(ValueError, match="'coco', image p.jpg: `text` is empty"):
            PackGLEEInputs()(dict(good, text=text))
    with pytest.raises(ValueError, match='supervision'):
        SetSource('coco', supervision=('boxes', ))
    with pytest.raises(ValueError, match='supervision'):
        SetSource('coco', supervision='box')
    with pytest.raises(ValueError, match='text_mode'):
        SetSource('coco', text_mode='phrase')
    assert SetSource('x', text=['n'])({})['text'] == ('n', )


def test_annotation_without_mask_is_named():
    results = dict(img_path='p.jpg', ori_shape=(9, 9), instances=[dict(bbox=[0, 0, 1, 1])])
    with pytest.raises(ValueError, match='p.jpg has no mask'):
        LoadInstances()(results)


@pytest.mark.parametrize('shape, expected', [((1, 3000), (1, 400)), ((3000, 2), (400, 1)), ((20, 30), (32, 48))])
def test_a_line_keeps_one_pixel(shape, expected):
    results = PillowResize(scale=(400, 32), keep_ratio=True)(dict(img=np.zeros((*shape, 3), np.uint8)))
    assert results['img'].shape[:2] == results['img_shape'] == expected
    assert results['scale_factor'] == (expected[1] / shape[1], expected[0] / shape[0])
