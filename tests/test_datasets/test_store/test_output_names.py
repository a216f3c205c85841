"""Files that are written one per picture never overwrite each other."""

import numpy as np
import pytest
from conversion_files import read, write
from mmdet.registry import DATASETS, HOOKS
from mmdet.structures import DetDataSample
from PIL import Image
from scipy.io import loadmat
from tool_runner import run_tool
from video_cases import random_video
from video_feed import feed

from projects.glee.datasets.store.output_names import below, claim, names_of_pictures
from projects.glee.engine.hooks import PictureHook
from projects.glee.evaluation.functional.mask_pngs import write_object_maps
from projects.glee.evaluation.metrics import DavisVOSMetric, ExpressionJFMetric
from projects.glee.structures import Track
from projects.glee.visualization import TextLocalVisualizer


def test_names_keep_folders_and_are_told_apart():
    assert names_of_pictures(['a.jpg', 'cats/a.jpg', 'a.png', 'a.png', '../dogs/a.jpg', '/abs/b.tar.gz']) == [
        'a', 'cats/a', 'a.png', 'a_4', 'dogs/a', 'abs/b.tar']


def test_paths_below_the_common_folder():
    assert below('/d/coco/train2014/a.jpg', ['/d/coco/train2014/']) == 'a.jpg'
    assert below('/d/coco/val/a.jpg', ['/d/coco/train/', '/d/coco/val']) == 'val/a.jpg'
    assert below('/e/a.jpg', ['/d/coco/']) == below('/e/a.jpg', []) == 'a.jpg'


def test_a_name_is_claimed_once(tmp_path):
    names = [claim(tmp_path / 'x/a.jpg').name for _ in range(3)]
    assert names == ['a.jpg', 'a_2.jpg', 'a_3.jpg'] == sorted(path.name for path in (tmp_path / 'x').iterdir())


# ---- maps ----
def coco_file(root, images, categories=('star', 'ring')):
    """``images``: (file name, boxes of its objects)."""
    rows, annotations = [], []
    for number, (name, boxes) in enumerate(images, 1):
        path = root / 'coco/val' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (20, 16), (number, 0, 0)).save(path)
        rows.append(dict(id=number, file_name=name, width=20, height=16))
        for x, y, w, h in boxes:
            annotations.append(dict(
                id=len(annotations) + 1, image_id=number, category_id=len(categories), iscrowd=0, bbox=[x, y, w, h],
                area=w * h, segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]]))
    write(root / 'coco/annotations/instances_val.json', dict(
        images=rows, annotations=annotations,
        categories=[dict(id=k, name=name) for k, name in enumerate(categories, 1)]))


def read_sbd(root, kind='SBDInstanceDataset', folder='benchmark_RELEASE/dataset', names='val.txt'):
    return DATASETS.build(dict(
        type=kind, data_root=f'{root}/{folder}/', ann_file=names, test_mode=True, pipeline=[
            dict(type='LoadImage'), dict(type='LoadInstanceMap'), dict(type='SetSource', source='interactive'),
            dict(type='PackGLEEInputs')]))


def test_300_objects_of_an_image_do_not_wrap(tmp_path):
    """Numbers above 255 need 16 bits; VOC's files have eight and are refused."""
    boxes = [(x, y, 1, 1) for y in range(15) for x in range(20)]
    coco_file(tmp_path, [('a.jpg', boxes)])
    run_tool('dataset_converters/coco_to_maps.py', tmp_path, '--split', 'val', '--layout', 'sbd')
    stored = loadmat(tmp_path / 'benchmark_RELEASE/dataset/inst/a.mat', squeeze_me=True)['GTinst']
    numbers = stored['Segmentation'].item()
    assert numbers.dtype == np.uint16 and np.array_equal(np.unique(numbers), np.arange(301))
    assert np.array_equal(numbers[:15], np.arange(1, 301).reshape(15, 20))
    assert stored['Categories'].item().tolist() == [2] * 300
    assert len(read_sbd(tmp_path)[0]['data_samples'].gt_instances) == 300
    with pytest.raises(SystemExit):
        run_tool('dataset_converters/coco_to_maps.py', tmp_path, '--split', 'val', '--layout', 'voc')


def test_more_than_255_categories_do_not_wrap(tmp_path, capsys):
    coco_file(tmp_path, [('a.jpg', [(1, 1, 4, 4)])], categories=[f'name {k}' for k in range(300)])
    run_tool('dataset_converters/coco_to_maps.py', tmp_path, '--split', 'val', '--layout', 'sbd')
    stored = loadmat(tmp_path / 'benchmark_RELEASE/dataset/inst/a.mat', squeeze_me=True)['GTinst']
    assert np.atleast_1d(stored['Categories'].item()).tolist() == [300]
    with pytest.raises(SystemExit):
        run_tool('dataset_converters/coco_to_maps.py', tmp_path, '--split', 'val', '--layout', 'voc')
    assert 'there are 300 categories, a VOC map holds 254' in capsys.readouterr().err


def test_equal_names_in_two_folders_are_two_maps(tmp_path):
    coco_file(tmp_path, [('cats/a.jpg', [(1, 1, 4, 4)]), ('dogs/a.jpg', [(2, 2, 4, 4), (10, 8, 3, 3)])])
    run_tool('dataset_converters/coco_to_maps.py', tmp_path, '--split', 'val')
    for kind, folder, names in (('SBDInstanceDataset', 'benchmark_RELEASE/dataset', 'val.txt'),
                                ('VOCInstanceDataset', 'VOCdevkit/VOC2012', 'ImageSets/Segmentation/val.txt')):
        samples = [read_sbd(tmp_path, kind, folder, names)[i]['data_samples'] for i in range(2)]
        assert [len(sample.gt_instances) for sample in samples] == [1, 2]
        assert [sample.img_path.rsplit('/', 2)[-2] for sample in samples] == ['cats', 'dogs']
    content = read(tmp_path / 'coco/annotations/panoptic_val.json')
    assert [row['file_name'] for row in content['annotations']] == ['cats/a.png', 'dogs/a.png']
    assert all((tmp_path / 'coco/annotations/panoptic_val' / row['file_name']).is_file()
               for row in content['annotations'])
    assert all('map_name' not in image for image in content['images'])


def test_pictures_of_two_splits_are_not_mixed_up(tmp_path, capsys):
    coco_file(tmp_path, [('a.jpg', [(1, 1, 4, 4)])])
    run_tool('dataset_converters/coco_to_maps.py', tmp_path, '--split', 'val', '--layout', 'sbd')
    Image.new('RGB', (20, 16), (9, 9, 9)).save(tmp_path / 'coco/val/b.jpg')
    (tmp_path / 'coco/val/b.jpg').replace(tmp_path / 'coco/val/a.jpg')
    with pytest.raises(SystemExit):
        run_tool('dataset_converters/coco_to_maps.py', tmp_path, '--split', 'val', '--layout', 'sbd')
    assert 'is another picture than' in capsys.readouterr().err


# ---- result files ----
def test_frames_of_one_name_are_refused(tmp_path):
    video = random_video(1, num_frames=3)
    video.frames[2]['img_path'] = video.frames[0]['img_path'].replace('.jpg', '.png')
    with pytest.raises(ValueError, match='2 of its frames would be written to 00000.png'):
        write_object_maps(tmp_path, video)


@pytest.mark.parametrize('build', [DavisVOSMetric, ExpressionJFMetric])
def test_videos_of_one_name_are_refused(tmp_path, build):
    """Their result files would be the same; one video that comes twice is no problem."""
    videos = [random_video(seed, num_frames=2, video_id=seed) for seed in (1, 2)]
    for video in videos:
        video.info.update(name='clip', expressions=[dict(exp_id='0', object_ids=[])])
        video.tracks = [Track(1, 0, 1.0, [None] * 2, [None] * 2)]
    metric = build(outfile_prefix=str(tmp_path / 'out'), format_only=True)
    feed(metric, [videos[0], videos[0]])
    with pytest.raises(ValueError, match='videos 1 and 2 are both called .*clip'):
        feed(metric, videos[1:])


def test_void_is_no_number_of_an_object(tmp_path):
    video = random_video(1, num_frames=1)
    video.tracks = [Track(255, 0, 1.0, [None], [None])]
    with pytest.raises(ValueError, match='object number 255 does not fit'):
        write_object_maps(tmp_path, video)


# ---- pictures of a test ----
class Folders:
    """Two data sets of one wrapper."""

    def __init__(self, root, *names):
        self.datasets = [type('Part', (), dict(data_prefix=dict(img=f'{root}/{name}/'))) for name in names]


def test_show_dir_keeps_pictures_of_equal_names(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(TextLocalVisualizer, 'add_datasample',
                        lambda self, name, image, data_sample, out_file, **kwargs: drawn.append(
                            (out_file, image[0, 0].tolist())))
    TextLocalVisualizer.get_instance('show_dir_test')
    hook = HOOKS.build(dict(type='PictureHook', draw=True, test_out_dir='pictures'))
    assert isinstance(hook, PictureHook)
    hook._visualizer = TextLocalVisualizer.get_instance('show_dir_test')
    samples = []
    for number, name in enumerate(('val/a.png', 'train/a.png', 'train/a.png', 'train/gone.png')):
        path = tmp_path / 'd' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if 'gone' not in name:
            Image.new('RGB', (4, 3), (number, 0, 0)).save(path)
        samples.append(DetDataSample(metainfo=dict(img_path=str(path), ori_shape=(3, 4), unreadable='gone' in name)))
    runner = type('R', (), dict(work_dir=str(tmp_path / 'work'), timestamp='now', test_dataloader=type('L', (), dict(
        dataset=Folders(tmp_path / 'd', 'val', 'train')))))
    hook.after_test_iter(runner, 0, {}, samples[:2])
    hook.after_test_iter(runner, 1, {}, samples[2:])
    folder = f'{tmp_path}/work/now/pictures'
    assert drawn == [(f'{folder}/val/a.png', [0, 0, 0]), (f'{folder}/train/a.png', [2, 0, 0]),
                     (f'{folder}/train/a_2.png', [2, 0, 0]), (f'{folder}/train/gone.png', [0, 0, 0])]
