"""Every video config tests in the stock loop on a small MiniWorld, and its result file is accepted."""

import pytest
import torch
from config_runs import SIZES, load_video, shrink_size
from empty_model import MODEL_CONFIGS, empty_glee, empty_parameters
from mmdet.registry import MODELS
from mmengine.config import Config

from projects.glee.engine.runner import run_config
from projects.glee.evaluation.functional.result_checks import (
    check_bdd,
    check_burst,
    check_expression_masks,
    check_object_maps,
    check_tao,
    check_vis,
)
from projects.glee.models.data_preprocessors import GLEEVideoDataPreprocessor
from projects.glee.models.detectors import GLEEVideo

METRICS = dict(ytvis='ytvis/AP', ovis='ovis/AP', lvvis='lvvis/AP', tao='tao/TETA', burst='burst/HOTA',
               vos='vos/J&F', rvos='rvos/J&F', bdd_mot='bdd_mot/mMOTA', bdd_mots='bdd_mots/mMOTSA')
BDD = 'bdd100k/labels'

CHECKS = dict(
    ytvis=lambda out, world: check_vis(f'{out}.zip', world / 'ytvis_2019/annotations/instances_val_sub.json'),
    ovis=lambda out, world: check_vis(f'{out}.json', world / 'ovis/annotations_valid.json'),
    lvvis=lambda out, world: check_vis(f'{out}.json', world / 'lvvis/val_instances.json'),
    tao=lambda out, world: check_tao(f'{out}.json', world / 'TAO/TAO_annotations/validation.json'),
    burst=lambda out, world: check_burst(f'{out}.json', world / 'burst_annotations/val/all_classes.json'),
    bdd_mot=lambda out, world: check_bdd(
        f'{out}.json', world / BDD / 'box_track_20/box_track_val_cocofmt_uni.json'),
    bdd_mots=lambda out, world: check_bdd(
        f'{out}.json', world / BDD / 'seg_track_20/seg_track_val_cocoformat_uni.json'),
    vos=lambda out, world: check_object_maps(
        out, world / 'DAVIS/JPEGImages/480p', (world / 'DAVIS/ImageSets/2017/val.txt').read_text().split()),
    rvos=lambda out, world: check_expression_masks(
        out, world / 'ref-youtube-vos/valid/JPEGImages',
        world / 'ref-youtube-vos/meta_expressions/valid/meta_expressions.json'))


# A random model is sure of nothing.
OPTIONS = dict.fromkeys(('bdd_mot', 'bdd_mots'), {'model.tracker.min_score': 0.0})


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=[pytest.mark.slow] if name == 'rvos' else []) for name in METRICS])
def test_config_gives_its_metric_and_a_valid_file(name, world, tmp_path):
    """One video through reader, pipeline, tracker, metric and writer."""
    cfg = load_video(f'mini_{name}', world, tmp_path, window=6, outfile_prefix=f'{tmp_path}/out',
                     **OPTIONS.get(name, {}))
    value = run_config.build_runner(cfg).test()[METRICS[name]]
    assert value == -1 or 0 <= value <= 1 or 'MOT' in METRICS[name] and value < 1  # false tracks make MOTA negative
    assert CHECKS[name](tmp_path / 'out', world) > 0


@pytest.mark.slow
def test_clips_train(world, tmp_path):
    """Names, given objects, sentences and pictures in one run; the tracking loss is there and finite."""
    cfg = load_video('mini_clips', world, tmp_path, max_iters=5, warmup_iters=2)
    cfg.train_dataloader.sampler.ratios = [1, 1, 2, 2, 1]
    runner = run_config.build_runner(cfg)
    runner.train()
    history = runner.message_hub.log_scalars
    assert 'train/loss_track' in history
    assert all(torch.isfinite(torch.as_tensor(value)) for value in history['train/loss']._log_history)
    plain = load_video('mini_clips', world, tmp_path, **{'model.panoptic_head.loss_selector.disable': ['tracking']})
    assert plain.model.panoptic_head.loss_selector.disable == ['tracking']


@pytest.mark.slow
def test_trajectories_train_and_test(world, tmp_path):
    """From a checkpoint without the head to one that tests sentences about motion; only the head has changed."""
    cfg = load_video('mini_ytvis', world, tmp_path / 'plain')
    plain = run_config.build_runner(cfg).model.state_dict()
    torch.save(dict(state_dict=plain), tmp_path / 'plain.pth')
    run_config.build_runner(load_video('mini_trajectories', world, tmp_path / 'train', max_iters=2,
                                 load_from=f'{tmp_path}/plain.pth')).train()
    tuned = f'{tmp_path}/train/iter_2.pth'
    weights = torch.load(tuned, weights_only=False)['state_dict']
    added = set(weights) - set(plain)
    assert added and all(name.startswith('trajectory_head.') for name in added)
    assert all(torch.equal(weights[name], value) for name, value in plain.items())
    runner = run_config.build_runner(load_video('mini_rvos_trajectories', world, tmp_path / 'test', window=6,
                                          load_from=tuned, outfile_prefix=f'{tmp_path}/out'))
    assert 0 <= runner.test()['rvos/J&F'] <= 1
    assert CHECKS['rvos'](tmp_path / 'out', world) > 0


@pytest.mark.parametrize('size', SIZES)
def test_full_size_trajectories(size, tmp_path):
    """Training and test agree about the head, and the rest is the model of that size."""
    train, test = (load_video(f'{size}_{name}', tmp_path, tmp_path) for name in ('trajectories', 'rvos_trajectories'))
    assert (train.model.type, test.model.type) == ('GLEETrajectories', 'GLEEVideo')
    assert train.model.trajectory_head == test.model.trajectory_head == dict(type='TrajectoryHead')
    assert test.model.tracker.type == 'TrajectoryTracker' and train.train_cfg.max_iters == 6000
    assert train.model.backbone.type == test.model.backbone.type


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('name', METRICS)
def test_full_size_tests_have_the_released_settings(name, size, tmp_path):
    """Sizes (DESIGN section 8; BDD the general ones), trackers, and the metric of the benchmark."""
    cfg = load_video(f'{size}_{name}'.replace('ytvis', 'ytvis19'), tmp_path, tmp_path / size)
    sides = dict(ytvis=480, lvvis=480, vos=480, rvos=480, tao=640, ovis=720, burst=720, bdd_mot=800, bdd_mots=800)
    steps = cfg.test_dataloader.dataset.pipeline[0].transforms
    if size == 'eva02-l':
        resize, pad = next(step for step in steps if step.type == 'Compose').transforms
        assert (tuple(resize.scale), pad.type, pad.size, pad.pad_value) == ((1536, 1536), 'PadSquare', 1536, 128)
    else:
        assert min(next(step for step in steps if step.type == 'PillowResize').scale) == sides[name]
    assert cfg.test_dataloader.sampler.window == 10 and cfg.model.type == 'GLEEVideo'
    tracker, kind = cfg.model.tracker, dict(vos='PromptTracker', rvos='ExpressionTracker').get(name, 'MinVISTracker')
    assert tracker.type == kind
    if kind == 'MinVISTracker':
        assert tracker.memory_length == 3
        assert tracker.max_per_video == dict(tao=50, burst=50, bdd_mot=100, bdd_mots=100).get(name, 30)
    if name in ('tao', 'burst'):
        assert (tracker.one_name_per_track, tracker.frame_nms, tracker.min_mask_pixels) == (True, 0.5, 5)
    assert cfg.test_evaluator.prefix == METRICS[name].split('/')[0]
    assert cfg.test_evaluator.outfile_prefix.startswith(str(tmp_path / size))


@pytest.mark.parametrize('size, image', [('r50', 'lite'), ('swin-l', 'plus'), ('eva02-l', 'pro')])
def test_video_models_have_the_parameters_of_the_image_models(size, image):
    """No more and no less but the teacher of their training, so that every checkpoint fits."""
    with empty_parameters():
        video = MODELS.build(Config.fromfile(MODEL_CONFIGS / f'glee_{size}_video.py').model)
    weights = empty_glee(image).state_dict()
    shapes = {name: value.shape for name, value in video.state_dict().items()}
    image_shapes = {name: value.shape for name, value in weights.items()}
    teacher = {name for name in image_shapes if '.teacher.' in name}
    assert sum(weights[name].numel() for name in teacher) == 63_165_952
    assert isinstance(video, GLEEVideo)
    assert shapes == {name: shape for name, shape in image_shapes.items() if name not in teacher}
    video.load_state_dict(weights, strict=True, assign=True)
    assert isinstance(video.data_preprocessor, GLEEVideoDataPreprocessor)


@pytest.mark.slow
def test_pro_tests_videos_in_grey_squares(world, tmp_path):
    """The backbone sees squares whose rest is grey 128, and results are those of the original frames."""
    cfg = shrink_size(load_video('eva02-l_ytvis19', world, tmp_path, window=6, outfile_prefix=f'{tmp_path}/out', **{
        'PillowResize.scale': (96, 96), 'PadSquare.size': 128}), 'eva02-l')
    runner, seen = run_config.build_runner(cfg), []
    runner.model.backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    assert runner.test()['ytvis/AP'] >= -1
    assert {tuple(frames.shape[-2:]) for frames in seen} == {(128, 128)}
    grey = (128 - torch.tensor([123.675, 116.28, 103.53])) / torch.tensor([58.395, 57.12, 57.375])
    torch.testing.assert_close(seen[0][:, :, -1, -1], grey.expand(len(seen[0]), 3))
    assert CHECKS['ytvis'](tmp_path / 'out', world) > 0
