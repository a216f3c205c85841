"""A converted checkpoint of a released model goes on training, and back to the released names."""
from argparse import Namespace

import pytest
import torch
from paths import ROOT

from projects.glee.engine.checkpoints import read_checkpoint
from projects.glee.engine.checkpoints.official_keys import revert_state_dict
from projects.glee.engine.runner import run_config

CONFIG = ROOT / 'configs/glee/glee_r50_stage3.py'
TRAINED = ('backbone.layer3.1.conv2.weight', 'panoptic_head.text_encoder.text_model.final_layer_norm.weight',
           'panoptic_head.box_head.layers.2.bias', 'panoptic_head.category_embed')
FROZEN = ('backbone.layer3.1.bn2.running_var', 'backbone.layer3.1.bn2.weight',
          'panoptic_head.text_encoder.teacher.final_layer_norm.weight')


@pytest.mark.slow
def test_stage_3_continues_from_a_converted_checkpoint(converted_lite, official_lite, world, tmp_path):
    options = {
        'data_root': f'{world}/', 'load_from': str(converted_lite), 'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 10, 'default_hooks.checkpoint.interval': 10,
        'default_hooks.checkpoint.save_last': False, 'train_dataloader.num_workers': 0,
        'train_dataloader.batch_size': 1,
        'RandomApply.transforms': [dict(type='CropWindow', crop_size=(64, 96))],
        'RandomChoiceResize.scales': [(64, 10000)]}
    cfg = run_config.load_config(Namespace(
        config=str(CONFIG), cfg_options=options, launcher='none', work_dir=str(tmp_path / 'run'), local_rank=0))
    run_config.set_amp(cfg, False)
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    runner = run_config.build_runner(cfg)
    runner.train()
    assert runner.iter == 2
    before, after = read_checkpoint(converted_lite)['state_dict'], runner.model.state_dict()
    assert after.keys() == before.keys()
    for key in TRAINED:
        change = (after[key] - before[key]).abs().max()
        assert 0 < change < 1e-3, key  # steps of the warm-up, from the released values
    for key in FROZEN:
        assert torch.equal(after[key], before[key]), key
    back, _ = revert_state_dict(after, 'lite')
    assert back.keys() == official_lite.keys()
