"""Every video config tests in the stock loop on a small MiniWorld, and its result file is accepted."""
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from projects.glee.datasets.miniworld import build_miniworld
from projects.glee.engine import run_config
from projects.glee.evaluation.video.result_checks import (
    check_burst,
    check_expression_masks,
    check_object_maps,
    check_tao,
    check_vis,
)

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ('coco', 'ytvis19', 'ovis', 'lvvis', 'davis', 'ytvos', 'ref_ytvos', 'tao_burst')
METRICS = dict(ytvis='ytvis/AP', ovis='ovis/AP', lvvis='lvvis/AP', tao='tao/TETA', burst='burst/HOTA',
               vos='vos/J&F', rvos='rvos/J&F')
FINE_TUNES = ('ytvis19', 'ytvis21', 'ovis', 'vos', 'ref-ytvos')


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp('world')
    build_miniworld(folder, images=2, val_images=1, videos=1, val_videos=1, seed=3, sources=SOURCES)
    return folder


def load(name, world, work_dir, **options):
    cfg = run_config.load_config(Namespace(
        config=str(ROOT / f'configs/glee/glee_{name}.py'), launcher='none', work_dir=str(work_dir), local_rank=0,
        cfg_options=dict(data_root=f'{world}/', **options)))
    cfg.model.panoptic_head.num_queries = 10
    for loader in ('train_dataloader', 'test_dataloader'):
        if cfg.get(loader):
            cfg[loader].update(num_workers=0, persistent_workers=False)
    return cfg


CHECKS = dict(
    ytvis=lambda out, world: check_vis(f'{out}.zip', world / 'ytvis_2019/annotations/instances_val_sub.json'),
    ovis=lambda out, world: check_vis(f'{out}.json', world / 'ovis/annotations_valid.json'),
    lvvis=lambda out, world: check_vis(f'{out}.json', world / 'lvvis/val_instances.json'),
    tao=lambda out, world: check_tao(f'{out}.json', world / 'TAO/TAO_annotations/validation.json'),
    burst=lambda out, world: check_burst(f'{out}.json', world / 'burst_annotations/val/all_classes.json'),
    vos=lambda out, world: check_object_maps(
        out, world / 'DAVIS/JPEGImages/480p', (world / 'DAVIS/ImageSets/2017/val.txt').read_text().split()),
    rvos=lambda out, world: check_expression_masks(
        out, world / 'ref-youtube-vos/valid/JPEGImages',
        world / 'ref-youtube-vos/meta_expressions/valid/meta_expressions.json'))


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=[pytest.mark.slow] if name == 'rvos' else []) for name in METRICS])
def test_config_gives_its_metric_and_a_valid_file(name, world, tmp_path):
    """One video through reader, pipeline, tracker, metric and writer."""
    cfg = load(f'mini_{name}', world, tmp_path, window=6, outfile=f'{tmp_path}/out')
    numbers = run_config.build_runner(cfg).test()
    assert numbers[METRICS[name]] == -1 or 0 <= numbers[METRICS[name]] <= 1
    assert CHECKS[name](tmp_path / 'out', world) > 0


@pytest.mark.slow
def test_clips_train(world, tmp_path):
    """Names, given objects and sentences in one run; the tracking loss is there and finite."""
    cfg = load('mini_clips', world, tmp_path, max_iters=4, warmup_iters=2)
    cfg.train_dataloader.sampler.ratios = [1, 1, 2, 2]
    runner = run_config.build_runner(cfg)
    runner.train()
    history = runner.message_hub.log_scalars
    assert 'train/loss_track' in history
    assert all(torch.isfinite(torch.as_tensor(value)) for value in history['train/loss']._log_history)
    plain = load('mini_clips', world, tmp_path, **{'model.panoptic_head.loss_selector.disable': ['tracking']})
    assert plain.model.panoptic_head.loss_selector.disable == ['tracking']


@pytest.mark.parametrize('name', FINE_TUNES)
def test_fine_tunes_have_the_released_schedule(name):
    """Iterations, decay and frozen text (DESIGN section 6)."""
    cfg = Config.fromfile(ROOT / f'configs/glee/glee_r50_{name}_finetune.py')
    iterations = dict(ovis=(18000, 12000), vos=(40000, 30000)).get(name, (8000, 6000))
    assert (cfg.train_cfg.max_iters, cfg.param_scheduler[1].milestones[0]) == iterations
    assert cfg.model.panoptic_head.text_encoder.mode == 'frozen' and cfg.optim_wrapper.optimizer.lr == 1e-4
    assert cfg.clip_prompt_prob == float(name == 'vos')
    assert cfg.clip_range == (10 if name in ('ovis', 'vos') else 5)


def test_full_size_tests_have_the_released_settings():
    """Short sides and trackers."""
    sides = dict(ytvis=480, lvvis=480, vos=480, rvos=480, tao=640, ovis=720, burst=720)
    for name, side in sides.items():
        cfg = Config.fromfile(ROOT / f'configs/glee/glee_r50_{name}.py')
        assert min(cfg.test_resize.scale) == side and cfg.window == 10
    tao = Config.fromfile(ROOT / 'configs/glee/glee_r50_tao.py').model.tracker
    assert (tao.max_per_video, tao.frame_nms, tao.min_mask_pixels) == (50, 0.5, 5)
    assert Config.fromfile(ROOT / 'configs/glee/glee_r50_ytvis.py').model.tracker.max_per_video == 30
