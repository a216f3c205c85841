"""Released Mask DINO R50 weights as the start of stage 1."""
import re

import pytest
import torch
from empty_model import empty_glee
from goldens import manifest

from projects.glee.engine.checkpoints.mask_dino_keys import BACKBONE_PARTS, GLEE_PARTS, mask_dino_table
from projects.glee.engine.runner.strict_runner import load_weights

GLEE_ONLY = r'vl_layers|category_embed|confidence_score|_label_enc|bdd_|^(text|lang|sot|mask_sptial|pn_)'
OWN = {'sem_seg_head.predictor.class_embed.weight': (80, 256), 'sem_seg_head.predictor.class_embed.bias': (80, ),
       'sem_seg_head.predictor.label_enc.weight': (80, 256), 'criterion.empty_weight': (81, )}


@pytest.fixture(scope='module')
def released():
    """Names and shapes of Mask DINO: those of GLEE-Lite without GLEE's own, and the classifier."""
    keys = manifest('lite')['keys']
    names = {key if key.startswith('backbone.') else f'sem_seg_head.{key}': entry['shape']
             for key, entry in keys.items() if not re.search(GLEE_ONLY, key)}
    return {key: torch.zeros(()).expand(shape) for key, shape in {**names, **OWN}.items()}


@pytest.mark.parametrize('size', ['lite', 'plus', 'pro'])
def test_what_is_left_to_initialise_is_exactly_what_load_ignore_names(released, size):
    table = mask_dino_table(size == 'lite')
    converted, report = table.to_ours(released)
    parts = GLEE_PARTS if size == 'lite' else GLEE_PARTS + BACKBONE_PARTS
    model = empty_glee(size)
    assert not [key for key in converted if any(re.search(part, key) for part in parts)]
    load_weights(model, converted, 'maskdino.pth', parts)  # complete apart from them, and of the right shapes
    assert set(OWN) <= set(report.names('dropped'))
    back, _ = table.to_theirs({**model.state_dict(), **converted})
    assert back.keys() == released.keys() - set(report.names('dropped'))
    assert {'panoptic_head.box_head.layers.2.weight', 'panoptic_head.memory_proj.weight',
            'panoptic_head.pixel_decoder.layers.5.ffn.layers.1.bias'} <= converted.keys()
    assert (size == 'lite') == ('backbone.layer3.5.conv2.weight' in converted)


def test_values_pass_unchanged():
    """Entries of the same shape that could be confused, by hand."""
    torch.manual_seed(0)
    table = mask_dino_table(same_backbone=False)
    theirs = {name: torch.randn(2) for names, _, _ in table.rows for name in names}
    theirs['sem_seg_head.pixel_decoder.transformer.encoder.layers.0.linear1.weight'] = torch.randn(2048, 256)
    ours, _ = table.to_ours(theirs)
    for their, our in {
            'predictor.decoder.layers.8.norm2.weight': 'decoder.layers.8.norms.0.weight',
            'predictor.mask_embed.layers.1.bias': 'mask_head.layers.1.bias',
            'predictor._bbox_embed.layers.1.bias': 'box_head.layers.1.bias',
            'pixel_decoder.layer_1.norm.bias': 'pixel_decoder.output_conv.gn.bias'}.items():
        assert ours[f'panoptic_head.{our}'] is theirs[f'sem_seg_head.{their}']
    back, _ = table.to_theirs(ours)
    assert all(torch.equal(back[name], value) for name, value in theirs.items())


def test_the_narrow_model_is_refused(released):
    name = 'sem_seg_head.pixel_decoder.transformer.encoder.layers.0.linear1.weight'
    with pytest.raises(ValueError, match=r'\(1024, 256\), in Mask DINO R50 .* width 2048 it is \(2048, 256\)'):
        mask_dino_table().to_ours({**released, name: torch.empty(1024, 256)})
    with pytest.raises(ValueError, match='1 missing'):
        mask_dino_table().to_ours({k: v for k, v in released.items() if not k.endswith('memory_proj.weight')
                                   and k != 'sem_seg_head.predictor.enc_output.bias'})
