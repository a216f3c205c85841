"""Swin and EVA-02 weights from their own repositories: numbers against independent implementations."""

import pytest
import torch
from empty_model import empty_parameters
from goldens import manifest
from mmdet.models.backbones import SwinTransformer
from mmdet.models.backbones.swin import swin_converter
from mmdet.models.layers import PatchMerging
from mmengine.config import ConfigDict
from transformers import SwinBackbone, SwinConfig

from projects.glee.engine.checkpoints.backbone_keys import PATCH_MERGING
from projects.glee.engine.checkpoints.backbone_tables import convert_backbone, revert_backbone
from projects.glee.models.backbones import EVA02

TINY = dict(embed_dims=8, depths=(2, 2, 6, 2), num_heads=(1, 1, 2, 2), window_size=3)


def test_patch_merging_by_hand():
    """The original joins the four neighbours (top left, bottom left, top right, bottom right)."""
    torch.manual_seed(0)
    channels, height, width = 3, 4, 6
    image = torch.randn(height, width, channels)
    norm, bias = torch.randn(2, 4 * channels)
    reduction = torch.randn(2 * channels, 4 * channels)
    expected = []
    for y in range(0, height, 2):
        for x in range(0, width, 2):
            joined = torch.cat([image[y, x], image[y + 1, x], image[y, x + 1], image[y + 1, x + 1]])
            joined = (joined - joined.mean()) / (joined.var(unbiased=False) + 1e-5).sqrt() * norm + bias
            expected.append(reduction @ joined)
    merging = PatchMerging(channels, 2 * channels)
    merging.load_state_dict({name: PATCH_MERGING.to_ours(value) for name, value in {
        'norm.weight': norm, 'norm.bias': bias, 'reduction.weight': reduction}.items()})
    with torch.no_grad():
        output, size = merging(image.reshape(1, -1, channels), (height, width))
    assert tuple(size) == (2, 3)
    torch.testing.assert_close(output[0], torch.stack(expected))
    for value in (norm, reduction):
        assert torch.equal(PATCH_MERGING.to_theirs(PATCH_MERGING.to_ours(value)), value)


@pytest.fixture(scope='module')
def reference():
    """transformers' Swin with random weights, which keeps the original's order of channels."""
    torch.manual_seed(0)
    model = SwinBackbone(SwinConfig(
        embed_dim=8, depths=[2, 2, 6, 2], num_heads=[1, 1, 2, 2], window_size=3, drop_path_rate=0.,
        out_features=['stage1', 'stage2', 'stage3', 'stage4'])).eval()
    with torch.no_grad():
        for param in model.parameters():
            param.normal_(std=0.2).add_(1. if param.dim() == 1 else 0.)
    return model


@pytest.fixture(scope='module')
def original_swin(reference):
    """Its weights under the names of the original repository."""
    names = {'swin.': '', 'embeddings.patch_embeddings.projection': 'patch_embed.proj',
             'embeddings.norm': 'patch_embed.norm', 'encoder.': '', 'layernorm_before': 'norm1',
             'layernorm_after': 'norm2', 'attention.relative_position_bias': 'attn', 'attention.': 'attn.',
             'o_proj': 'proj', 'layernorm': 'norm',
             **{f'hidden_states_norms.stage{i + 1}': f'norm{i}' for i in range(4)}}
    state = {}
    for key, value in reference.state_dict().items():
        for old, new in names.items():
            key = key.replace(old, new)
        state[key] = value
    for key in [key for key in state if '.q_proj.' in key]:
        parts = [state.pop(key.replace('q_proj', part)) for part in ('q_proj', 'k_proj', 'v_proj')]
        state[key.replace('q_proj', 'qkv')] = torch.cat(parts)
    return state


def load(model, converted):
    model.load_state_dict({key.removeprefix('backbone.'): value for key, value in converted.items()}, strict=False)
    model.eval()
    return model


def test_converted_swin_computes_what_the_original_does(reference, original_swin):
    converted, report = convert_backbone(original_swin, 'swin')
    model = SwinTransformer(**TINY)
    expected_names = {f'backbone.{key}' for key in model.state_dict() if not key.endswith('position_index')}
    assert converted.keys() == expected_names
    image = torch.randn(1, 3, 112, 160)
    with torch.no_grad():
        ours, theirs = load(model, converted)(image), reference(image).feature_maps
    assert len(ours) == len(theirs) == 4
    for our, their in zip(ours, theirs):
        assert our.std() > 0.1
        torch.testing.assert_close(our, their, atol=1e-4, rtol=1e-4)
    # and without the new order of channels it would not
    wrong = {key: value for key, value in converted.items()}
    wrong['backbone.stages.0.downsample.reduction.weight'] = original_swin['layers.0.downsample.reduction.weight']
    with torch.no_grad():
        assert not torch.allclose(load(model, wrong)(image)[1], theirs[1], atol=1e-2)


def test_swin_agrees_with_the_converter_of_mmdet(original_swin):
    converted, _ = convert_backbone(original_swin, 'swin')
    theirs = swin_converter(original_swin)
    assert theirs.keys() - converted.keys() == {'backbone.norm.weight', 'backbone.norm.bias'}
    for key, value in converted.items():
        assert torch.equal(theirs[key], value), key


def test_swin_classifier_files(original_swin):
    classifier = {key: value for key, value in original_swin.items() if not key.startswith('norm')}
    extra = {'norm.weight': torch.ones(64), 'norm.bias': torch.zeros(64), 'head.weight': torch.ones(5, 64),
             'layers.0.blocks.1.attn_mask': torch.ones(4, 9, 9),
             'layers.0.blocks.1.attn.relative_position_index': torch.ones(9, 9)}
    converted, report = convert_backbone({**classifier, **extra}, 'swin')
    assert set(report.names('dropped')) == set(extra)
    assert set(report.names('absent')) == {f'norm{i}.{part}' for i in range(4) for part in ('weight', 'bias')}
    back, _ = revert_backbone(converted, 'swin')
    assert back.keys() == classifier.keys()
    assert all(torch.equal(back[key], classifier[key]) for key in back)


def test_swin_in_the_layout_of_mmdet(original_swin):
    converted, _ = convert_backbone(original_swin, 'swin')
    bare = {key.removeprefix('backbone.'): value for key, value in converted.items()}
    detector = {**converted, 'bbox_head.fc_cls.weight': torch.ones(1),
                'backbone.stages.0.blocks.0.attn.w_msa.relative_position_index': torch.zeros(9, 9)}
    for state in (bare, detector):
        again, report = convert_backbone(state, 'swin')
        assert again.keys() == converted.keys() and all(again[key] is converted[key] for key in again)
    assert report.names('dropped') == ['bbox_head.fc_cls.weight',
                                       'backbone.stages.0.blocks.0.attn.w_msa.relative_position_index']


def test_swin_is_read_by_init_cfg(original_swin, tmp_path):
    converted, _ = convert_backbone(original_swin, 'swin')
    torch.save(dict(state_dict=converted, meta={}), tmp_path / 'swin.pth')
    model = SwinTransformer(**TINY, init_cfg=ConfigDict(
        type='Pretrained', checkpoint=str(tmp_path / 'swin.pth')))
    model.init_weights()
    for key, value in model.state_dict().items():
        if not key.endswith('relative_position_index'):
            assert torch.equal(converted[f'backbone.{key}'], value), key


@pytest.fixture(scope='module')
def original_eva02():
    """Released names and shapes of image modelling, without values: the detector's and the pre-training's own."""
    keys = manifest('pro')['keys']
    state = {key.removeprefix('backbone.net.'): torch.empty(entry['shape'], device='meta')
             for key, entry in keys.items() if key.startswith('backbone.net.') and 'rope' not in key}
    extra = {'rope.freqs_cos': (196, 64), 'cls_token': (1, 1, 1024), 'mask_token': (1, 1, 1024),
             'norm.weight': (1024, ), 'lm_head.weight': (1024, 1024)}
    return {**state, **{key: torch.empty(shape, device='meta') for key, shape in extra.items()}}


@pytest.mark.parametrize('prefix', ['', 'backbone.net.'])
def test_eva02(original_eva02, prefix):
    state = {prefix + key: value for key, value in original_eva02.items()}
    extra = {prefix + key for key in ('rope.freqs_cos', 'cls_token', 'mask_token', 'norm.weight', 'lm_head.weight')}
    others = {'backbone.simfp_3.0.weight': torch.empty(1)} if prefix else {}
    converted, report = convert_backbone({**state, **others}, 'eva02')
    assert set(report.names('dropped')) == extra | others.keys()
    with empty_parameters():
        model = EVA02(img_size=64)
    model.load_state_dict({key.removeprefix('backbone.'): value for key, value in converted.items()},
                          strict=True, assign=True)
    back, _ = revert_backbone({**converted, 'neck.resizes.0.weight': torch.empty(1)}, 'eva02')
    assert {prefix + key for key in back} == state.keys() - extra
    assert all(value.shape == state[prefix + key].shape for key, value in back.items())


def test_eva02_is_read_by_init_cfg(tmp_path):
    small = dict(img_size=32, embed_dims=16, num_layers=1, num_heads=2, global_blocks=(), pretrain_img_size=32)
    source = EVA02(**small)
    source.init_weights()
    torch.save(dict(state_dict={f'backbone.{key}': value for key, value in source.state_dict().items()}),
               tmp_path / 'eva.pth')
    model = EVA02(**small, init_cfg=dict(
        type='Pretrained', checkpoint=str(tmp_path / 'eva.pth'), prefix='backbone.'))
    model.init_weights()
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


@pytest.mark.parametrize('arch, change, message', [
    ('eva02', lambda s: s.update({'patch_embed.proj.weight': torch.empty(1024, 3, 14, 14)}),
     r'patch_embed.proj.weight has shape \(1024, 3, 14, 14\), in EVA02-L with patches of 16 px'),
    ('eva02', lambda s: s.pop('blocks.23.mlp.w2.bias'), r'1 missing \(blocks.23.mlp.w2.bias\)'),
    ('eva02', lambda s: s.update({'blocks.0.attn.inner_attn_ln.weight': torch.empty(1)}), '1 unknown'),
    ('swin', lambda s: None, r'no swin backbone: no name ends in layers\.0\.blocks'),
])
def test_other_backbones_are_refused(original_eva02, arch, change, message):
    state = dict(original_eva02)
    change(state)
    with pytest.raises(ValueError, match=message):
        convert_backbone(state, arch)


def test_unknown_swin_depth_is_refused(original_swin):
    state = {key: value for key, value in original_swin.items() if not key.startswith('layers.2.blocks.5')}
    with pytest.raises(ValueError, match='third stage has 5 blocks, expected one of'):
        convert_backbone(state, 'swin')
