"""VOC and SBD objects from their maps."""
import re

import numpy as np
import pytest
from logs import captured_log
from mmdet.registry import DATASETS
from PIL import Image
from scipy.io import savemat

PIPELINE = [dict(type='LoadImage'), dict(type='LoadInstanceMap'), dict(type='SetSource', source='interactive'),
            dict(type='PackGLEEInputs')]


def numbers():
    """Two objects, the second next to void."""
    found = np.zeros((40, 50), np.uint8)
    found[5:15, 5:20] = 1
    found[20:35, 30:45] = 2
    found[20:35, 45:48] = 255
    return found


def classes():
    names = numbers()
    names[names == 1] = 8  # cat
    names[names == 2] = 15  # person
    return names


@pytest.fixture
def voc(tmp_path):
    for folder, pixels in (('SegmentationObject', numbers()), ('SegmentationClass', classes())):
        (tmp_path / folder).mkdir()
        picture = Image.fromarray(pixels, mode='P')
        picture.putpalette(list(range(256)) * 3)
        picture.save(tmp_path / folder / '2007_000001.png')
    (tmp_path / 'JPEGImages').mkdir()
    Image.new('RGB', (50, 40)).save(tmp_path / 'JPEGImages/2007_000001.jpg')
    (tmp_path / 'val.txt').write_text('2007_000001\n')
    return tmp_path


def build(kind, root):
    return DATASETS.build(dict(type=kind, data_root=f'{root}/', ann_file='val.txt', test_mode=True, pipeline=PIPELINE))


def test_voc(voc):
    sample = build('VOCInstanceDataset', voc)[0]['data_samples']
    masks = sample.gt_instances.masks.masks
    assert (masks[0] == (numbers() == 1)).all() and (masks[1] == (numbers() == 2)).all() and len(masks) == 2
    assert [sample.text[label] for label in sample.gt_instances.labels] == ['cat', 'person']
    assert sample.gt_instances.bboxes.tensor.tolist() == [[5, 5, 20, 15], [30, 20, 45, 35]]
    assert (sample.ignored_instances.masks.masks[0] == (numbers() == 255)).all()


def test_sbd(tmp_path):
    for folder in ('img', 'inst'):
        (tmp_path / folder).mkdir()
    Image.new('RGB', (50, 40)).save(tmp_path / 'img/2008_000002.jpg')
    pixels = numbers() * (numbers() < 255)
    savemat(tmp_path / 'inst/2008_000002.mat', dict(GTinst=dict(
        Segmentation=pixels, Categories=np.array([[8], [15]], np.uint8), Boundaries=np.zeros(0))))
    (tmp_path / 'val.txt').write_text('2008_000002')
    sample = build('SBDInstanceDataset', tmp_path)[0]['data_samples']
    assert (sample.gt_instances.masks.masks[1] == (pixels == 2)).all() and len(sample.ignored_instances) == 0
    assert [sample.text[label] for label in sample.gt_instances.labels] == ['cat', 'person']


def test_an_image_without_objects(voc):
    Image.fromarray(np.zeros((40, 50), np.uint8)).save(voc / 'SegmentationObject/2007_000001.png')
    sample = build('VOCInstanceDataset', voc)[0]['data_samples']
    assert len(sample.gt_instances) == 0 and len(sample.ignored_instances) == 0


def test_missing_and_broken_maps_are_named(voc):
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(voc / 'SegmentationObject/2007_000001.png')
    with captured_log() as messages:
        item = build('VOCInstanceDataset', voc)[0]
    assert item['data_samples'].unreadable and len(item['data_samples'].gt_instances) == 0
    assert any(re.search(r'2007_000001.jpg: it is \(40, 50\) .* but annotated as \(4, 5\)', m) for m in messages)
    (voc / 'val.txt').write_text('2007_000001\nabsent')
    with captured_log() as messages:
        assert len(build('VOCInstanceDataset', voc)) == 1
    assert any('listed image without a map: 1 (first: ' in m and 'absent.png' in m for m in messages)
    (voc / 'val.txt').write_text('absent')
    with pytest.raises(FileNotFoundError, match='absent.png'):
        build('VOCInstanceDataset', voc)


def interactive(kind, root):
    """The pipeline of the interactive configs."""
    return DATASETS.build(dict(type=kind, data_root=f'{root}/', ann_file='val.txt', test_mode=True, pipeline=[
        dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'), *PIPELINE[1:]]))


def test_numbers_beyond_255_are_objects_not_void(tmp_path):
    for folder in ('img', 'inst'):
        (tmp_path / folder).mkdir()
    Image.new('RGB', (20, 16)).save(tmp_path / 'img/2008_000002.jpg')
    pixels = np.arange(1, 321, dtype=np.uint16).reshape(16, 20)
    pixels[pixels > 300] = 0
    savemat(tmp_path / 'inst/2008_000002.mat', dict(GTinst=dict(
        Segmentation=pixels, Categories=np.full((300, 1), 8, np.uint8), Boundaries=np.zeros(0))))
    (tmp_path / 'val.txt').write_text('2008_000002')
    sample = build('SBDInstanceDataset', tmp_path)[0]['data_samples']
    assert len(sample.gt_instances) == 300 and len(sample.ignored_instances) == 0
    assert (sample.gt_instances.masks.masks[254] == (pixels == 255)).all()


def test_an_unreadable_picture_does_not_end_a_test(voc):
    """A black one of the size of its map stands in, and its objects count as missed."""
    (voc / 'JPEGImages/2007_000001.jpg').write_bytes(b'\xff\xd8\xff')
    with captured_log() as messages:
        item = interactive('VOCInstanceDataset', voc)[0]
    assert item['data_samples'].unreadable and item['inputs'].shape == (3, 40, 50) and not item['inputs'].any()
    assert len(item['data_samples'].gt_instances) == 2
    assert any('2007_000001.jpg' in m and 'nothing counts as found (1 so far)' in m for m in messages)


def test_damaged_maps_are_counted_until_they_are_all(voc, tmp_path):
    (voc / 'SegmentationObject/2007_000001.png').write_bytes(b'\x89PNG')
    dataset = interactive('VOCInstanceDataset', voc)
    with captured_log() as messages:
        sample = dataset[0]['data_samples']
    assert len(sample.gt_instances) == len(sample.ignored_instances) == 0
    assert any('2007_000001.png cannot be read as a map' in m and '(1 maps so far)' in m for m in messages)
    with pytest.raises(ValueError, match='none of 10 maps could be used'):
        for _ in range(9):
            dataset[0]
    (tmp_path / 'inst').mkdir()
    (tmp_path / 'img').symlink_to(voc / 'JPEGImages')
    (tmp_path / 'inst/2007_000001.mat').write_bytes(b'MATLAB 5.0 MAT-file')
    with captured_log() as messages:
        assert len(interactive('SBDInstanceDataset', tmp_path)[0]['data_samples'].gt_instances) == 0
    assert any('2007_000001.mat is no map of SBD' in m for m in messages)
