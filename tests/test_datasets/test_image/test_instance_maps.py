"""VOC and SBD objects from their maps."""
import numpy as np
import pytest
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
    with pytest.raises(ValueError, match=r'2007_000001.png is \(4, 5\) but its image \(40, 50\)'):
        build('VOCInstanceDataset', voc)[0]
    (voc / 'val.txt').write_text('2007_000001\nabsent')
    with pytest.raises(FileNotFoundError, match="lists 'absent'"):
        build('VOCInstanceDataset', voc)
