"""Every way to ask the model gives the same answer, for each size, on a picture that is not square."""
import json
import runpy
import sys
import warnings
from pathlib import Path
from unittest import mock

import mmdet
import mmengine
import numpy as np
import pytest
import torch
from config_runs import SIZES, shrink_size
from demo_image import ImageDemo, Question
from demo_pictures import View
from mmdet.apis import DetInferencer, inference_detector, init_detector
from mmdet.registry import MODELS
from mmengine.config import Config
from paths import config_file
from PIL import Image
from stock_files import META_KEYS
from tool_runner import run_tool

from projects.glee.apis import GLEEInferencer
from projects.glee_cli import main as glee_program
from projects.glee_cli.configs.config_file import dicts_in

NAMES = ['star', 'red ring', 'square']
SENTENCE = 'the red ring on the left'
POINT = (70, 20)  # x, y
HEIGHT, WIDTH = 60, 90


def config_of_size(size, full=False):
    """The config that tests pictures of a size: narrow layers and small pictures, unless ``full``."""
    cfg = Config.fromfile(config_file('glee_mini_coco' if size == 'mini' else f'glee_{size}_stage3'))
    if not full:
        cfg = shrink_size(cfg, size) if size in SIZES else cfg
        cfg.model.panoptic_head.num_queries = 10
        for step in dicts_in(cfg._cfg_dict['test_dataloader']):
            if step.get('type') == 'PillowResize':
                step['scale'] = (96, 96) if size == 'eva02-l' else (96, 64)
            if step.get('type') == 'PadSquare':
                step['size'] = 96
    cfg.model.backbone.pop('init_cfg', None)
    return cfg


def make_files(root, cfg):
    """The picture, COCO's file of it, the config that tests both and a checkpoint of random weights."""
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(root / 'noise.png')
    (root / 'ann.json').write_text(json.dumps(dict(
        images=[dict(id=1, file_name='noise.png', height=HEIGHT, width=WIDTH)],
        categories=[dict(id=number, name=name) for number, name in enumerate(NAMES, 1)],
        annotations=[dict(id=1, image_id=1, category_id=1, bbox=[5, 5, 20, 20], area=400, iscrowd=0,
                          segmentation=[[5, 5, 25, 5, 25, 25, 5, 25]])])))
    pipeline = [step for step in cfg.test_dataloader.dataset.pipeline[:-1]]
    pipeline.append(dict(type='PackDetInputs', meta_keys=META_KEYS))
    cfg.data_root, cfg.work_dir = f'{root}/', str(root / 'work')
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    cfg.test_dataloader = dict(
        batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dict(
            type='CocoDataset', return_classes=True, metainfo=dict(classes=NAMES), data_root=f'{root}/',
            ann_file='ann.json', data_prefix=dict(img=''), test_mode=True, pipeline=pipeline))
    cfg.test_evaluator = dict(type='CocoMetric', ann_file=str(root / 'ann.json'))
    cfg.dump(root / 'config.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), root / 'model.pth')


@pytest.fixture(scope='module', params=['mini', *SIZES])
def files(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    make_files(root, config_of_size(request.param))
    return root


def check(found, expected):
    """Scores, boxes, names and masks of objects, the best first, against an ``ImageResult``."""
    assert len(expected.scores)
    np.testing.assert_allclose(found['scores'], expected.scores, atol=1e-5)
    np.testing.assert_allclose(found['boxes'], expected.boxes, atol=1e-3)
    assert list(found['names']) == list(expected.names)
    if 'masks' in found:
        np.testing.assert_array_equal(np.asarray(found['masks'], bool), expected.masks)


def of_instances(found):
    """Tensors of mmdet's results."""
    masks = found['masks']
    return dict(scores=found['scores'].numpy(), boxes=found['bboxes'].numpy(),
                names=[NAMES[label] for label in found['labels'].tolist()],
                masks=masks.numpy() if torch.is_tensor(masks) else [mmdet_mask(mask) for mask in masks])


def mmdet_mask(rle):
    from pycocotools.mask import decode
    return decode(rle)


def of_json(path):
    """What the program writes."""
    result, = json.loads(Path(path).read_text())
    objects = result['objects']
    return dict(scores=[one['score'] for one in objects], boxes=[one['box'] for one in objects],
                names=[one['name'] for one in objects], masks=[mmdet_mask(one['mask']) for one in objects])


def run_program(files, *words):
    out = files / 'found.json'
    code = glee_program(['predict', str(files / 'noise.png'), '--model', str(files / 'config.py'), '--weights',
                         str(files / 'model.pth'), '--out', str(files / 'drawn'), '--json', str(out), '--device', 'cpu',
                         '--score-thr', '0', *words])
    assert code == 0
    return of_json(out)


def run_mmdet_test(*arguments):
    path = Path(mmdet.__file__).parent / '.mim/tools/test.py'
    with mock.patch.object(sys, 'argv', [str(path), *map(str, arguments)]):
        runpy.run_path(str(path), run_name='__main__')


def same_by_names(files):
    picture, config, weights = (str(files / name) for name in ('noise.png', 'config.py', 'model.pth'))
    expected = GLEEInferencer(config, weights, 'cpu', score_thr=0.)(picture, names=NAMES, show_progress=False)[0]
    check(run_program(files, '--names', *NAMES), expected)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # random colours
        stock = DetInferencer(config, weights, device='cpu', show_progress=False)
        model = init_detector(config, weights, device='cpu')
    text = ' . '.join(NAMES)
    sample, = stock(picture, texts=text, custom_entities=True, no_save_vis=True,
                    return_datasamples=True)['predictions']
    check(of_instances(sample.pred_instances), expected)
    sample = inference_detector(model, picture, text_prompt=text, custom_entities=True)
    check(of_instances(sample.pred_instances), expected)
    for run in (run_mmdet_test, lambda *arguments: run_tool('test.py', *arguments)):
        run(config, weights, '--work-dir', files / 'work', '--out', files / 'out.pkl')
        prediction, = mmengine.load(files / 'out.pkl')
        check(of_instances(prediction['pred_instances']), expected)
    return expected


def same_by_prompts(files):
    picture, config, weights = (str(files / name) for name in ('noise.png', 'config.py', 'model.pth'))
    glee = GLEEInferencer(config, weights, 'cpu', score_thr=0.)
    pixels = np.asarray(Image.open(picture))

    def check_demo(expected, given):
        demo = ImageDemo(glee)
        demo.open(pixels)
        (name, score, *box), = demo.run(given).table
        assert score == pytest.approx(expected.scores[0], abs=1e-3)
        assert box == pytest.approx(expected.boxes[0], abs=0.1)
    expected = glee(picture, expressions=[SENTENCE], show_progress=False)[0]
    check(run_program(files, '--expressions', SENTENCE), expected)
    check_demo(expected, Question(sentence=SENTENCE))
    x, y = POINT
    expected = glee(picture, prompts=[dict(points=[POINT])], show_progress=False)[0]
    check(run_program(files, '--point', str(x), str(y)), expected)
    view = View.of(pixels.shape)
    x, y = (np.array(POINT) + 0.5) * view.factor  # of what is shown: the picture is small
    painted = np.zeros((*view.size, 4), np.uint8)
    painted[int(y) - 1:int(y) + 2, int(x) - 1:int(x) + 2] = (0, 192, 64, 255)
    check_demo(expected, Question(layers=[painted], drawing='points'))


def test_names(files):
    expected = same_by_names(files)
    assert len(expected.names) == 30 and expected.masks.shape[1:] == (HEIGHT, WIDTH)


def test_sentences_and_clicks(files):
    same_by_prompts(files)
