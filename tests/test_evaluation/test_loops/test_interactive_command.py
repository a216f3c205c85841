"""tools/test.py plays the user: the oracles of the specification, void pixels, and a test that was killed."""
import json

import numpy as np
import pytest
import torch
from image_files import rectangle, write_json
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from paths import ROOT
from PIL import Image
from scipy.io import savemat
from tool_runner import run_tool

from projects.glee.evaluation.loops import InteractiveTestLoop
from projects.glee.prompts.click_simulation import mask_iou

SQUARE, STRIP = (10, 50, 20, 60), (10, 11, 5, 64)  # first and last row, first and last column of 60 x 80 px

CONFIG = '''
custom_imports = dict(imports=['projects.glee', 'brush_predictor'], allow_failed_imports=False)
default_scope = 'mmdet'
model = dict(type='NoModel')
load_from = None
_base_ = [{base!r}]
data_root = 'data/'
test_dataloader = dict(batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
                       dataset=_base_.{dataset})
test_evaluator = dict(type='InteractiveSegMetric', curves_file={curves!r})
test_cfg = dict(type='InteractiveTestLoop', rounds={rounds}, predictor={predictor})
'''
BRUSH = dict(type='BrushPredictor', radius=8)


def draw(*rectangles, value=1):
    """Pixels (60, 80) of rectangles."""
    pixels = np.zeros((60, 80), np.uint8)
    for top, bottom, left, right in rectangles:
        pixels[top:bottom + 1, left:right + 1] = value
    return pixels


def write_coco(root, objects):
    """The objects as instances of one image."""
    boxes = [(left, top, right + 1 - left, bottom + 1 - top) for top, bottom, left, right in objects]
    write_json(root / 'coco/annotations/instances_val2017.json', dict(
        images=[dict(id=1, file_name='1.jpg', width=80, height=60)], categories=[dict(id=1, name='square')],
        annotations=[dict(id=number, image_id=1, category_id=1, iscrowd=0, area=box[2] * box[3], bbox=list(box),
                          segmentation=rectangle(*box)) for number, box in enumerate(boxes, 1)]))
    return [root / 'coco/val2017/1.jpg']


def test_an_unreadable_picture_is_a_failure_of_all_its_objects():
    """It is black: nobody is asked for a mask in it."""
    loop = InteractiveTestLoop.__new__(InteractiveTestLoop)
    loop.rounds, loop.min_area, loop.predictor = dict(point=3, box=1), 1, None
    masks = np.stack([draw(SQUARE), draw(STRIP), draw()])
    sample = DetDataSample(metainfo=dict(img_path='gone.jpg', unreadable=True), gt_instances=InstanceData(
        masks=BitmapMasks(masks, 60, 80)))
    assert loop._image(torch.zeros(3, 60, 80, dtype=torch.uint8), sample)['curves'] == [
        dict(kind='point', object=0, ious=[0, 0, 0]), dict(kind='point', object=1, ious=[0, 0, 0]),
        dict(kind='box', object=0, ious=[0]), dict(kind='box', object=1, ious=[0])]


def write_voc(root, objects, void=()):
    """An image for each object, with its void pixels."""
    base = root / 'VOCdevkit/VOC2012'
    for folder, value in (('SegmentationObject', 1), ('SegmentationClass', 15)):
        (base / folder).mkdir(parents=True)
        for number, obj in enumerate(objects):
            pixels = np.where(draw(*void), 255, draw(obj, value=value)).astype(np.uint8)
            Image.fromarray(pixels).save(base / folder / f'{number}.png')
    (base / 'ImageSets/Segmentation').mkdir(parents=True)
    (base / 'ImageSets/Segmentation/val.txt').write_text('\n'.join(map(str, range(len(objects)))))
    return [base / f'JPEGImages/{number}.jpg' for number in range(len(objects))]


def write_sbd(root, objects):
    """An image for each object."""
    base = root / 'benchmark_RELEASE/dataset'
    (base / 'inst').mkdir(parents=True)
    for number, obj in enumerate(objects):
        savemat(base / f'inst/{number}.mat', dict(GTinst=dict(
            Segmentation=draw(obj), Categories=np.array([[15]], np.uint8), Boundaries=np.zeros(0))))
    (base / 'val.txt').write_text('\n'.join(map(str, range(len(objects)))))
    return [base / f'img/{number}.jpg' for number in range(len(objects))]


WRITERS = dict(coco=write_coco, voc=write_voc, sbd=write_sbd)


def prepare(root, dataset, objects, rounds=dict(point=20), predictor=BRUSH, **kwargs):
    """Data, configuration and an empty checkpoint; arguments of tools/test.py."""
    for path in WRITERS[dataset](root, objects, **kwargs):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(path)
    config = root / 'played.py'
    config.write_text(CONFIG.format(
        base=str(ROOT / 'configs/glee/_base_/datasets/interactive.py'), dataset=f'{dataset}_interactive',
        curves=str(root / 'curves.csv'), rounds=rounds, predictor=predictor))
    torch.save(dict(state_dict={}), root / 'empty.pth')
    return [str(config), str(root / 'empty.pth'), '--work-dir', str(root / 'work'), '--cfg-options', 'test_cfg.seed=0',
            f'data_root={root}']


def numbers(root):
    """The metrics file, and the curve of every object."""
    newest = max((root / 'work').glob('*/*.json'), key=lambda path: path.stat().st_mtime_ns)
    values = json.loads(newest.read_text().splitlines()[-1])
    rows = [row.split(',') for row in (root / 'curves.csv').read_text().splitlines()[1:]]
    values = {key: value for key, value in values.items() if key.startswith('interactive/')}  # no times
    return values, [[float(value) for value in row[3:]] for row in rows]


def check_brush(root, clicks):
    values, (curve, ) = numbers(root)
    assert (values['interactive/NoC@85'], values['interactive/NoC@90']) == clicks
    assert len(curve) == 20 and values['interactive/instances'] == 1 and values['interactive/failures@90'] == 0


@pytest.mark.slow
def test_oracle_through_the_command_line(fork_server, tmp_path):
    """The brush as predictor gives the number of clicks of the specification, in a process of its own."""
    arguments = prepare(tmp_path, 'coco', [SQUARE])
    fork_server.run('tools/test.py', *arguments, 'test_cfg.predictor.radius=8', 'test_cfg.rule=ritm')
    check_brush(tmp_path, (9, 11))


@pytest.mark.parametrize('dataset, radius, rule, clicks', [
    ('coco', 12, 'ritm', (5, 5)), ('voc', 20, 'ritm', (3, 4)), ('voc', 30, 'seem', (1, 1)),
    ('sbd', 12, 'ritm', (5, 5))])
def test_oracles_of_the_brush(tmp_path, dataset, radius, rule, clicks):
    """Other radii, the three kinds of files and the other rule."""
    run_tool('test.py', *prepare(tmp_path, dataset, [SQUARE]), f'test_cfg.predictor.radius={radius}',
             f'test_cfg.rule={rule}')
    check_brush(tmp_path, clicks)


@pytest.mark.parametrize('rule, truth, given, void, click', [
    ('ritm', SQUARE, [SQUARE, (5, 15, 65, 75)], (), (70, 10, False)),
    ('seem', SQUARE, [SQUARE, (5, 15, 65, 75)], [(40, 50, 20, 60)], (70, 10, False)),  # see test_interactive
    ('ritm', STRIP, [(30, 38, 30, 38)], (), (34, 34, False)),
    ('seem', STRIP, [(30, 38, 30, 38)], (), (5, 10, True))])
def test_oracles_of_the_click(tmp_path, rule, truth, given, void, click):
    """A box first, which is answered with a given mask; the click that corrects it is the specification's."""
    predictor = dict(type='GivenMasks', rectangles=[given, [truth]], record=str(tmp_path / 'clicks.json'))
    run_tool('test.py', *prepare(tmp_path, 'voc', [truth], dict(box=2), predictor, void=void),
             f'test_cfg.rule={rule}', 'test_cfg.stop_iou=1.0')
    assert [tuple(made) for made in json.loads((tmp_path / 'clicks.json').read_text())] == [click]
    cared = None if not void else draw(*void).astype(bool)
    first = mask_iou(draw(*given).astype(bool), draw(truth).astype(bool), cared)
    assert numbers(tmp_path)[1] == [pytest.approx([first, 1], abs=1e-4)]


def test_void_pixels_count_for_nothing(tmp_path):
    """What is drawn on void is neither right nor wrong, and nobody clicks there: the first click is elsewhere, too."""
    void = [(0, 59, 41, 79)]  # half of the square and all to its right
    predictor = dict(type='GivenMasks', rectangles=[[(10, 29, 20, 79)], [(10, 50, 20, 30)]],
                     record=str(tmp_path / 'clicks.json'))
    run_tool('test.py', *prepare(tmp_path, 'voc', [SQUARE], dict(box=2), predictor, void=void))
    # 21 columns of 41 rows are left; 20 rows are found, then 11 columns
    assert numbers(tmp_path)[1] == [pytest.approx([20 / 41, 11 / 21], abs=1e-4)]
    (x, y, positive), = json.loads((tmp_path / 'clicks.json').read_text())
    assert 20 <= x <= 40 and 30 <= y <= 50 and positive


def test_a_killed_test_goes_on(tmp_path):
    """The third image is never finished; the second run is shown that one and the fourth, and nothing is left."""
    objects = [SQUARE, (5, 30, 5, 45), (0, 12, 60, 79), (30, 59, 0, 24)]
    sizes = [str(draw(obj).sum()) for obj in objects]
    record, folder = tmp_path / 'shown.txt', tmp_path / 'finished'
    arguments = prepare(tmp_path, 'voc', objects, dict(point=6),
                        dict(type='MortalBrush', radius=10, record=str(record)))
    run_tool('test.py', *arguments, 'experiment_name=a')  # by default two runs of one second share their name
    expected = numbers(tmp_path)
    assert len(expected[1]) == 4 and record.read_text().split() == sizes
    record.unlink()
    (tmp_path / 'curves.csv').unlink()
    kept = f'test_cfg.resume_dir={folder}'
    with pytest.raises(KeyboardInterrupt):
        run_tool('test.py', *arguments, kept, 'experiment_name=b', 'test_cfg.predictor.last=2')
    assert sorted(path.name for path in folder.iterdir()) == ['0.json', '1.json']
    assert record.read_text().split() == sizes[:2]
    with pytest.raises(ValueError, match='0.json was measured in another way'):
        run_tool('test.py', *arguments, kept, 'experiment_name=c', 'test_cfg.rule=seem')
    record.unlink()
    run_tool('test.py', *arguments, kept, 'experiment_name=d')
    assert record.read_text().split() == sizes[2:] and numbers(tmp_path) == expected
    assert not folder.exists()


@pytest.mark.parametrize('dataset, picture, broken_map, listed', [
    ('voc', 'VOCdevkit/VOC2012/JPEGImages/1.jpg', 'VOCdevkit/VOC2012/SegmentationObject/2.png',
     'VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt'),
    ('sbd', 'benchmark_RELEASE/dataset/img/1.jpg', 'benchmark_RELEASE/dataset/inst/2.mat',
     'benchmark_RELEASE/dataset/val.txt')])
def test_damaged_files_of_a_list_do_not_end_a_test(tmp_path, dataset, picture, broken_map, listed):
    """A picture that cannot be read is a failure of its object; a map that cannot be read has none."""
    arguments = prepare(tmp_path, dataset, [SQUARE, (5, 30, 5, 45), (0, 12, 60, 79)], dict(point=3))
    (tmp_path / picture).write_bytes(b'\xff\xd8\xff\xe0')
    (tmp_path / broken_map).write_bytes(b'\x89PNG\r\n')
    (tmp_path / listed).write_text('0\n1\n2\nabsent\n')
    run_tool('test.py', *arguments)
    values, curves = numbers(tmp_path)
    assert len(curves) == 2 and curves[1] == [0, 0, 0] and curves[0][-1] > 0 and values['interactive/instances'] == 2
