"""Complexity: formulas by hand, agreement with a real run, and the table."""
import runpy
import sys

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from paths import ROOT
from torch.utils.flop_counter import FlopCounterMode

from projects.glee.utils.complexity import count_flops, count_parameters

NAMES = ['cat', 'fire hydrant']


def mini():
    return MODELS.build(Config.fromfile(ROOT / 'configs/glee/_base_/models/glee_mini.py').model)


def tiny_pro(side=64):
    config = Config.fromfile(ROOT / 'configs/glee/_base_/models/glee_mini.py').model
    config.backbone = dict(type='EVA02', img_size=side, embed_dims=16, num_layers=2, num_heads=2, window_size=3,
                           global_blocks=(1, ))
    config.neck = dict(type='SimpleFeaturePyramid', in_channels=16, out_channels=64)
    config.panoptic_head.pixel_decoder.update(project=False, in_channels=[64] * 4)
    return MODELS.build(config)


def test_vit_and_pyramid_by_hand():
    dims, hidden, tokens, padded = 16, int(16 * 8 / 3), 16, 36
    flops = count_flops(tiny_pro(), 64, NAMES)
    mlp = 3 * dims * hidden * tokens
    products = 2 * dims * (4 * 9**2 + tokens**2)  # four padded windows of 9 tokens, one map of 16
    linear = 4 * dims**2 * (padded + tokens)
    patches = 3 * 16**2 * dims * tokens
    levels = {64: dims // 2, 16: dims, 4: dims}  # pixels and channels before the 1x1 convolution
    pyramid = 2 * 2 * dims * dims // 2 * tokens
    pyramid += sum(pixels * (channels * 64 + 9 * 64 * 64) for pixels, channels in levels.items())
    assert flops.attention == 2 * products
    assert flops.parts['backbone'] == 2 * (patches + linear + products + 2 * mlp + pyramid)


def test_parts_agree_with_a_run_on_real_tensors():
    """Real tensors need the same convolutions and matrices."""
    model = mini().eval()
    flops = count_flops(model, 64, NAMES)
    with torch.no_grad():
        feats = model.extract_feat(torch.zeros(1, 3, 64, 64))
        features = model.panoptic_head.text_encoder(NAMES)
        with torch.enable_grad(), FlopCounterMode(display=False) as counter:
            model.panoptic_head.pixel_decoder(feats, features.tokens[features.mask][None])
    operators = counter.get_flop_counts()['Global']
    tokens, pixels = int(features.mask.sum()), 64 + 16 + 4 + 1
    fused = 2 * 2 * 128 * tokens * pixels
    sampled = 8 * 2 * 4 * 4 * pixels * 64  # layers, levels, points, channels of all heads
    expected = sum(operators.values()) + fused + sampled
    assert flops.parts['early fusion'] + flops.parts['pixel decoder'] == expected


def test_parameters_by_part_add_up():
    model = mini()
    parameters = count_parameters(model)
    numbers = {name: sum(p.numel() for p in part.parameters()) for name, part in (
        ('backbone', model.backbone), ('text encoder', model.panoptic_head.text_encoder),
        ('early fusion', model.panoptic_head.pixel_decoder.early_fusion))}
    assert numbers.items() <= parameters.parts.items()
    assert parameters.total == sum(p.numel() for p in model.parameters()) == sum(parameters.parts.values())


def test_table_and_bad_arguments(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['get_flops.py', *map(str, arguments)])
        runpy.run_path(str(ROOT / 'tools/analysis_tools/get_flops.py'), run_name='__main__')

    config = ROOT / 'configs/glee/_base_/models/glee_mini.py'
    run(config, '--sides', 64, '--names', 'cat')
    output = capsys.readouterr().out
    assert f'| total | {sum(p.numel() for p in mini().parameters()):,} |' in output
    assert 'glee_mini at 64²' in output and '| paper | - |' in output
    for arguments, message in (((config, '--sides', 64, 128), '2 values for 1 configs'),
                               (('no.py', ), 'no.py: no such')):
        with pytest.raises(SystemExit):
            run(*arguments)
        assert message in capsys.readouterr().err
    with pytest.raises(ValueError, match='multiple of 64'):
        count_flops(mini(), 100, ['cat'])
