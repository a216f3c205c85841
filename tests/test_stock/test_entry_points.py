"""mmdet's entry points on our configs: DetInferencer, init_detector with inference_detector, its tools/test.py."""
import warnings

import numpy as np
import pytest
import torch
from config_runs import SIZES, shrink_size
from mmdet.apis import DetInferencer, inference_detector, init_detector
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.runner import Runner
from paths import CONFIGS, config_file
from PIL import Image

from projects.glee import apis as glee_apis
from projects.glee.apis import GLEEInferencer
from projects.glee_cli.configs.config_file import dicts_in

NAMES = ['star', 'red ring', 'square']


# Those of videos, and those without a test, are skipped.
FILES = [path for path in sorted(CONFIGS.rglob('*.py')) if not {'_base_', 'video'} & set(path.parts)]
TESTED = ['glee_r50_stage3', 'glee_swin-l_stage3', 'glee_eva02-l_stage3', 'glee_r50_interactive', 'glee_mini_coco',
          'glee_mini_lvis', 'glee_mini_refcoco', 'glee_mini_panoptic', 'glee_mini_interactive',
          'glee_mini_interactive_voc', 'mask2former_r50_glee-head_coco']


def shows_pictures(cfg):
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    while 'datasets' in dataset:
        dataset = dataset['datasets'][0]
    return 'pipeline' in dataset and dataset['pipeline'][0]['type'].endswith('LoadImageFromFile')


@pytest.fixture(scope='module')
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp('picture') / 'noise.png'
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)).save(path)
    return str(path)


def small(path):
    """The config with narrow layers and small pictures; what its pipeline does stays."""
    cfg = Config.fromfile(path)
    kind, size = path.stem.split('_')[:2]
    if not shows_pictures(cfg):
        return cfg
    if kind == 'glee' and size in SIZES:
        cfg = shrink_size(cfg, size)
    cfg.model.panoptic_head.num_queries = 10
    for step in dicts_in(cfg._cfg_dict['test_dataloader']):
        if step.get('type') in ('PillowResize', 'Resize'):
            step['scale'] = (96, 96) if size == 'eva02-l' else (96, 64)
        if step.get('type') == 'PadSquare':
            step['size'] = 96
    return cfg


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_inference_detector(path, picture):
    cfg = small(path)
    if not shows_pictures(cfg):
        assert path.stem not in TESTED
        pytest.skip('it tests no pictures')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # no checkpoint, random colours
        model = init_detector(cfg, device='cpu')
    one = inference_detector(model, picture, text_prompt=' . '.join(NAMES), custom_entities=True)
    assert isinstance(one, DetDataSample)
    found = one.pred_instances
    assert set(found.labels.tolist()) <= set(range(len(NAMES)))
    assert len(found) or path.stem.startswith('mask2former')
    assert found.masks.shape[1:] == (60, 90)
    pixels = np.asarray(Image.open(picture))[..., ::-1].copy()
    same, = inference_detector(model, [pixels], text_prompt=' . '.join(NAMES), custom_entities=True)
    torch.testing.assert_close(same.pred_instances.scores, found.scores)
    torch.testing.assert_close(same.pred_instances.bboxes, found.bboxes)


@pytest.fixture(scope='module')
def trained(world, tmp_path_factory):
    """A folder with a checkpoint that training has written, and the data where the config has them."""
    folder = tmp_path_factory.mktemp('stock')
    (folder / 'data').mkdir()
    (folder / 'data/miniworld').symlink_to(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        runner_of(training(folder)).train()
    return folder


def training(folder):
    cfg = Config.fromfile(config_file('glee_mini_coco'))
    cfg.merge_from_dict({
        'work_dir': str(folder / 'work'), 'train_cfg.max_iters': 1, 'param_scheduler': [], 'model.panoptic_head.'
        'num_queries': 10, 'train_dataloader.batch_size': 1, 'test_dataloader.dataset.indices': 2,
        'train_dataloader.num_workers': 0,
        'test_dataloader.num_workers': 0})
    return cfg


def runner_of(cfg):
    """As mmdet's tools make it: without a word of our own."""
    return Runner.from_cfg(cfg)


@pytest.fixture(scope='module')
def stock(trained):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return DetInferencer(training(trained), str(trained / 'work/iter_1.pth'), device='cpu', show_progress=False)


def picture_of(world):
    return str(sorted((world / 'coco/val2017').iterdir())[0])


def test_all_ways_predict_the_same(stock, trained, world):
    path = picture_of(world)
    ours = GLEEInferencer(training(trained), trained / 'work/iter_1.pth', 'cpu', score_thr=0.)(path, names=NAMES)[0]
    assert len(ours) == 30  # 10 queries, 3 names
    by_text = stock(path, texts=' . '.join(NAMES), custom_entities=True, no_save_vis=True)['predictions'][0]
    model = init_detector(training(trained), str(trained / 'work/iter_1.pth'), device='cpu')
    sample = inference_detector(model, path, text_prompt=' . '.join(NAMES), custom_entities=True).pred_instances
    for scores, boxes, labels in ((by_text['scores'], by_text['bboxes'], by_text['labels']),
                                  (sample.scores.numpy(), sample.bboxes.numpy(), sample.labels.tolist())):
        order = np.argsort(-np.asarray(scores), kind='stable')
        np.testing.assert_allclose(np.asarray(scores)[order], ours.scores, atol=1e-5)
        np.testing.assert_allclose(np.asarray(boxes)[order], ours.boxes, atol=1e-3)
        assert [NAMES[labels[row]] for row in order] == list(ours.names)


def test_a_name_instead_of_a_config_predicts_the_same(trained, world):
    path, weights = picture_of(world), str(trained / 'work/iter_1.pth')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        named = glee_apis.DetInferencer('glee_mini', weights, device='cpu', show_progress=False)
    found = named(path, texts=' . '.join(NAMES), custom_entities=True, no_save_vis=True)['predictions'][0]
    ours = GLEEInferencer('glee_mini', weights, 'cpu', score_thr=0.)(path, names=NAMES)[0]
    order = np.argsort(-np.asarray(found['scores']), kind='stable')
    assert len(ours) == len(order) == 90  # 30 queries, 3 names
    np.testing.assert_allclose(np.asarray(found['scores'])[order], ours.scores, atol=1e-5)
    assert sorted(NAMES[label] for label in found['labels']) == sorted(ours.names)


def test_texts_by_picture_spans_of_a_caption_and_the_classes_of_training(stock, world):
    path = picture_of(world)
    expected = stock(path, texts='star . ring', custom_entities=True, no_save_vis=True)['predictions'][0]
    two = stock([path, path], texts=['square', 'star . ring'], custom_entities=True, batch_size=2,
                no_save_vis=True)['predictions']
    assert set(two[0]['labels']) == {0}
    np.testing.assert_allclose(two[1]['scores'], expected['scores'], atol=1e-5)
    spans = stock(path, texts='a star beside a ring', tokens_positive=[[[2, 6]], [[16, 20]]],
                  no_save_vis=True)['predictions'][0]
    np.testing.assert_allclose(spans['scores'], expected['scores'], atol=1e-5)
    sample, = stock(path, no_save_vis=True, return_datasamples=True)['predictions']
    assert sample.text == tuple(stock.model.dataset_meta['classes']) and 'circle' in sample.text


def test_the_runner_of_mmdets_test_tool_loads_the_checkpoint(trained, monkeypatch):
    monkeypatch.chdir(trained)
    cfg = training(trained)
    cfg.load_from = str(trained / 'work/iter_1.pth')
    cfg.work_dir = str(trained / 'tested')
    runner = runner_of(cfg)
    assert 0 <= runner.test()['coco/bbox_mAP'] <= 1
    saved = torch.load(cfg.load_from, map_location='cpu', weights_only=False)['state_dict']
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, saved[name]), name
