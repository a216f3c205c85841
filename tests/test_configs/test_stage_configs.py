"""The nine recipes: sizes x stages; their numbers, and one training step on a small MiniWorld."""
from argparse import Namespace

import pytest
import torch
from config_runs import SIZES, shrink_size
from paths import ROOT

from projects.glee.engine.runner import run_config

STAGES = (1, 2, 3)


def load(size, stage, work_dir, **options):
    return run_config.load_config(Namespace(
        config=str(ROOT / f'configs/glee/glee_{size}_stage{stage}.py'), cfg_options=options, launcher='none',
        work_dir=str(work_dir), local_rank=0))


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('stage', STAGES)
def test_numbers_of_the_recipe(size, stage, tmp_path):
    cfg = load(size, stage, tmp_path)
    pro = size == 'eva02-l'
    wrapper = cfg.optim_wrapper
    assert wrapper.optimizer == dict(type='AdamW', lr=1e-4, weight_decay=0.1 if pro else 0.05, fused=True)
    assert wrapper.clip_grad == dict(max_norm=0.01) and wrapper.type == 'AmpOptimWrapper'
    keys = wrapper.paramwise_cfg.custom_keys
    assert ('backbone' in keys) == (not pro) and wrapper.paramwise_cfg.get('layer_decay_rate') == (0.8 if pro else None)
    if not pro:
        assert keys.backbone.lr_mult == 0.1
    if stage > 1:
        assert keys['text_encoder.text_model'].lr_mult == 0.1
    assert cfg.train_cfg.max_iters == 500000 and cfg.train_dataloader.batch_size == 2
    warmup, decay = cfg.param_scheduler
    short = stage > 1 and not pro
    assert (warmup.start_factor, warmup.end) == (1e-4 if stage == 1 and not pro else 0.01, 100 if short else 1000)
    assert decay.milestones == [400000] and decay.gamma == 0.1
    assert cfg.model.panoptic_head.text_encoder.mode == ('frozen' if stage == 1 else 'distill')
    kinds = [step.type for step in cfg.train_dataloader.dataset.datasets[0].pipeline]
    assert ('LargeScaleJitter' in kinds) == pro
    if pro:
        jitter = next(step for step in cfg.train_dataloader.dataset.datasets[0].pipeline
                      if step.type == 'LargeScaleJitter')
        assert (jitter.size, tuple(jitter.ratio_range), jitter.pad_value) == (1536, (0.1, 2.0), 128)
        assert cfg.model.backbone.with_cp
        resize, pad = cfg.test_dataloader.dataset.pipeline[2].transforms
        assert (tuple(resize.scale), pad.type, pad.size) == ((1536, 1536), 'PadSquare', 1536)


# test_mixture.py does the same and more for r50.
@pytest.mark.slow
@pytest.mark.parametrize('size, stage', [
    (size, stage) for size in ('swin-l', 'eva02-l') for stage in STAGES])
def test_one_step(world, tmp_path, size, stage):
    options = {'data_root': f'{world}/', 'train_cfg.max_iters': 1, 'train_cfg.val_interval': 10,
               'default_hooks.checkpoint.save_last': False}
    if size == 'eva02-l':
        options.update({'LargeScaleJitter.size': 128, 'PillowResize.scale': (128, 128), 'PadSquare.size': 128})
    else:
        options.update({'RandomApply.transforms': [dict(type='CropWindow', crop_size=(64, 96))],
                        'RandomChoiceResize.scales': [(64, 10000)], 'PillowResize.scale': (128, 96)})
    cfg = shrink_size(load(size, stage, tmp_path, **options), size)
    run_config.set_amp(cfg, False)
    runner = run_config.build_runner(cfg)
    shapes = []
    runner.model.backbone.register_forward_pre_hook(lambda module, inputs: shapes.append(tuple(inputs[0].shape[-2:])))
    before = {name: value.clone() for name, value in runner.model.named_parameters()}
    runner.train()
    for name, parameter in runner.model.named_parameters():
        assert torch.isfinite(parameter).all(), name
    changed = {name for name, value in runner.model.named_parameters() if not torch.equal(before[name], value)}
    for part in ('backbone.', 'panoptic_head.pixel_decoder.', 'panoptic_head.decoder.'):
        assert any(name.startswith(part) for name in changed), part
    encoder = 'panoptic_head.text_encoder.text_model'
    assert any(name.startswith(encoder) for name in changed) == (stage > 1)
    rates = {round(group['lr'] / max(g['lr'] for g in runner.optim_wrapper.param_groups), 6)
             for group in runner.optim_wrapper.param_groups}
    if size == 'eva02-l':
        assert {round(0.8**power, 6) for power in range(5)} <= rates and 'neck.resizes.0.weight' in changed
        assert set(shapes) - {(64, 64)} == {(128, 128)}  # besides the templates of prompts
    else:
        assert rates == {0.1, 1.0}
    if (size, stage) == ('eva02-l', 2):
        assert 0 <= runner.test()['coco/segm_mAP'] <= 1
        assert set(shapes) - {(64, 64)} == {(128, 128)}  # besides the templates of prompts
