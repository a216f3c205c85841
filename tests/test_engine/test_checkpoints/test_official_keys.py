"""Names of the released GLEE checkpoints of all sizes: complete, exact both ways, and clear when they do not fit."""

import golden_recipe
import numpy as np
import pytest
import torch
from empty_model import empty_glee
from goldens import manifest
from mmdet.structures import DetDataSample

from projects.glee.engine.checkpoints.backbone_keys import eva02_rows, relative_position_index
from projects.glee.engine.checkpoints.key_table import KeyTable, expand
from projects.glee.engine.checkpoints.official_keys import (
    SIZES,
    convert_state_dict,
    guess_size,
    official_table,
    revert_state_dict,
    strip_wrapper,
    wrap_official,
)
from projects.glee.models.backbones import EVA02


@pytest.fixture(scope='module')
def manifests():
    return {size: manifest(size) for size in SIZES}


@pytest.fixture(scope='module')
def shapes(manifests):
    """Per size a state dict of the released names and shapes, without values."""
    return {size: {key: torch.empty(entry['shape'], dtype=getattr(torch, entry['dtype']), device='meta')
                   for key, entry in manifest['keys'].items()} for size, manifest in manifests.items()}


@pytest.mark.parametrize('size', SIZES)
def test_every_released_entry_is_consumed_and_fits_the_model(shapes, manifests, size):
    converted, report = convert_state_dict(shapes[size], size)
    sources = [line.source for line in report.lines if line.action != 'added']
    assert sorted(sources) == sorted(shapes[size])  # each exactly once
    assert not report.names('absent')
    model = empty_glee(size)
    assert model.state_dict().keys() == converted.keys()
    model.load_state_dict(converted, strict=True, assign=True)
    aliases = {name for group in manifests[size]['alias_groups'] for name in group}
    joined = {name for name in sources if '.mlp.w1.' in name or '.mlp.w2.' in name}
    assert set(report.names('merged')) <= aliases | joined
    derived = {name for name in shapes[size] if golden_recipe.is_derived(name) and name not in converted}
    assert set(report.names('dropped')) == derived


@pytest.mark.parametrize('size', SIZES)
def test_reverse_gives_every_released_entry(shapes, size):
    back, _ = revert_state_dict(convert_state_dict(shapes[size], size)[0], size)
    assert {key: (value.shape, value.dtype) for key, value in back.items()} == {
        key: (value.shape, value.dtype) for key, value in shapes[size].items()}


@pytest.mark.slow
@pytest.mark.parametrize('size', SIZES)
def test_values_survive_loading_and_the_way_back_and_the_model_runs(manifests, size):
    official = {key: torch.from_numpy(value)
                for key, value in golden_recipe.state_dict(manifests[size]['keys']).items()}
    model = empty_glee(size)
    model.load_state_dict(convert_state_dict(official, size)[0], strict=True, assign=True)
    back, _ = revert_state_dict(model.state_dict(), size)
    assert back.keys() == manifests[size]['keys'].keys()
    for key, value in official.items():
        assert torch.equal(back[key], value), key
    for key in back.keys() - official.keys():
        assert golden_recipe.is_derived(key), key
    size_of = dict(batch_input_shape=(64, 96), img_shape=(64, 96), ori_shape=(64, 96))
    sample = DetDataSample(metainfo=dict(text=('cat', 'dog'), text_mode='category', **size_of))
    image = torch.from_numpy(golden_recipe.batch([golden_recipe.image(1, 64, 96)]))
    with torch.no_grad():
        outputs = model.eval()(image, [sample], mode='tensor')
    assert outputs['pred_logits'].shape[-1] == 2
    for name, value in outputs.items():
        assert value.isfinite().all() and (value != value.flatten()[0]).any(), name


def test_entries_that_shapes_cannot_tell_apart(shapes):
    """Rows checked by hand against the golden notes: order of norms, of pyramid levels, of gate and value."""
    head, layer = 'panoptic_head.', 'predictor.decoder.layers.3.'
    expected = {
        'lite': {
            f'{layer}norm2.weight': f'{head}decoder.layers.3.norms.0.weight',  # behind self-attention
            f'{layer}norm1.weight': f'{head}decoder.layers.3.norms.1.weight',  # behind cross-attention
            f'{layer}norm3.weight': f'{head}decoder.layers.3.norms.2.weight',  # behind the FFN
            'predictor.enc_output_norm.bias': f'{head}memory_norm.bias',
            'predictor.ytvis21_label_enc.weight': f'{head}denoising.label_tables.ytvis21.weight',
            'predictor.grounding_label_enc.weight': f'{head}denoising.label_tables.object.weight',
            'backbone.res3.0.shortcut.norm.running_var': 'backbone.layer2.0.downsample.1.running_var',
            'backbone.res5.2.conv3.norm.bias': 'backbone.layer4.2.bn3.bias',
            'pixel_decoder.input_proj.3.1.bias': f'{head}pixel_decoder.input_convs.3.gn.bias',
            'text_encoder_teacher.text_model.final_layer_norm.bias':
            f'{head}text_encoder.teacher.final_layer_norm.bias',
        },
        'plus': {
            'backbone.layers.2.blocks.17.mlp.fc2.bias': 'backbone.stages.2.blocks.17.ffn.layers.1.bias',
            'backbone.norm3.weight': 'backbone.norm3.weight',
        },
        'pro': {
            'backbone.simfp_3.0.weight': 'neck.resizes.0.weight',
            'backbone.simfp_3.2.norm.bias': 'neck.output_convs.0.ln.bias',
            'backbone.simfp_4.1.weight': 'neck.output_convs.1.conv.weight',
            'backbone.simfp_5.1.weight': 'neck.lateral_convs.2.conv.weight',
            'backbone.simfp_5.2.norm.weight': 'neck.output_convs.2.ln.weight',
            'backbone.net.blocks.7.attn.v_bias': 'backbone.layers.7.attn.v_proj.bias',
            'backbone.net.blocks.7.norm2.bias': 'backbone.layers.7.norm2.bias',
        },
    }
    for size, names in expected.items():
        targets = {line.source: line.target for line in convert_state_dict(shapes[size], size)[1].lines}
        assert {name: targets[name] for name in names} == names
    joined = [row[0] for row in official_table('pro').rows if row[1] == ('backbone.layers.7.mlp.w12.weight', )]
    assert joined == [('backbone.net.blocks.7.mlp.w1.weight', 'backbone.net.blocks.7.mlp.w2.weight')]


def test_the_gate_comes_first_in_the_joined_layer():
    """SwiGLU by hand with separate matrices: SiLU on w1, times w2, LayerNorm, w3."""
    torch.manual_seed(0)
    mlp = EVA02(img_size=32, embed_dims=12, num_layers=1, num_heads=1, mlp_ratio=2, global_blocks=(0, ),
                pretrain_img_size=32).layers[0].mlp
    theirs = {f'blocks.0.mlp.{name}.{part}': torch.randn(shape if part == 'weight' else shape[:1])
              for name, shape in dict(w1=(24, 12), w2=(24, 12), w3=(12, 24), ffn_ln=(24, )).items()
              for part in ('weight', 'bias')}
    rows = tuple(row for row in eva02_rows(1) if '.mlp.' in row.theirs)
    ours, _ = KeyTable('an MLP', rows).to_ours(theirs)
    mlp.load_state_dict({name.removeprefix('layers.0.mlp.'): value for name, value in ours.items()}, strict=True)
    w = {name.removeprefix('blocks.0.mlp.'): value.numpy().astype(float) for name, value in theirs.items()}
    x = np.random.default_rng(0).standard_normal((5, 12))
    gate = x @ w['w1.weight'].T + w['w1.bias']
    hidden = gate / (1 + np.exp(-gate)) * (x @ w['w2.weight'].T + w['w2.bias'])
    hidden = (hidden - hidden.mean(1, keepdims=True)) / np.sqrt(hidden.var(1, keepdims=True) + 1e-6)
    expected = (hidden * w['ffn_ln.weight'] + w['ffn_ln.bias']) @ w['w3.weight'].T + w['w3.bias']
    with torch.no_grad():
        np.testing.assert_allclose(mlp(torch.from_numpy(x).float()), expected, atol=1e-4)


def test_both_layouts_of_released_files(shapes):
    bare = shapes['lite']
    wrapped = wrap_official(bare)
    assert set(wrapped) == {'model'} and all(key.startswith('glee.') for key in wrapped['model'])
    assert strip_wrapper(wrapped['model']).keys() == bare.keys() == strip_wrapper(bare).keys()
    stale = {'criterion.empty_weight': torch.ones(2),
             'text_encoder.text_model.embeddings.position_ids': torch.arange(77)[None]}
    converted, report = convert_state_dict({**bare, **stale}, 'lite')
    assert report.names('dropped') == list(stale)
    assert converted.keys() == convert_state_dict(bare, 'lite')[0].keys()


def test_a_wrong_size_is_recognised(shapes):
    for size in SIZES:
        assert guess_size(shapes[size]) == size
        assert guess_size(convert_state_dict(shapes[size], size)[0], ours=True) == size
        wrong = SIZES[(SIZES.index(size) + 1) % 3]
        with pytest.raises(ValueError, match=f'looks like size {size!r}, not {wrong!r}: .*missing'):
            convert_state_dict(shapes[size], wrong)
        with pytest.raises(ValueError, match=f'looks like size {size!r}, not {wrong!r}: '):
            revert_state_dict(convert_state_dict(shapes[size], size)[0], wrong)
    with pytest.raises(ValueError, match="size must be one of .*got 'huge'"):
        convert_state_dict({}, 'huge')
    smaller = dict(shapes['plus'], **{'backbone.patch_embed.proj.weight': torch.empty(128, 3, 4, 4)})
    with pytest.raises(ValueError, match=r'has shape \(128, 3, 4, 4\).*it is \(192, 3, 4, 4\)'):
        convert_state_dict(smaller, 'plus')


def test_missing_and_unknown_entries_are_named(shapes):
    incomplete = dict(shapes['lite'])
    del incomplete['predictor.category_embed']
    with pytest.raises(ValueError, match=r'GLEE-Lite .*1 missing \(predictor.category_embed\)'):
        convert_state_dict(incomplete, 'lite')
    with pytest.raises(ValueError, match=r'1 unknown \(predictor.query_feat.weight\)'):
        convert_state_dict({**shapes['lite'], 'predictor.query_feat.weight': torch.ones(1)}, 'lite')


def test_stage_1_files_have_no_teacher_and_no_prompter(shapes):
    optional = ('text_encoder_teacher.', 'sot_fuser.', 'mask_sptial_embed.', 'pn_indicator.')
    stage1 = {key: value for key, value in shapes['lite'].items() if not key.startswith(optional)}
    converted, report = convert_state_dict(stage1, 'lite')
    assert set(report.names('absent')) == shapes['lite'].keys() - stage1.keys()
    assert not [key for key in converted if 'teacher' in key or 'prompter' in key]
    assert revert_state_dict(converted, 'lite')[0].keys() == stage1.keys()
    del stage1['text_encoder.text_model.final_layer_norm.bias']
    with pytest.raises(ValueError, match='1 missing'):
        convert_state_dict(stage1, 'lite')


def test_index_of_the_bias_table(shapes):
    """The formula of the original: rows first, both differences shifted to start at zero."""
    window = 3
    index = relative_position_index(window)
    for a in range(9):
        for b in range(9):
            dy, dx = a // window - b // window, a % window - b % window
            assert index[a, b] == (dy + window - 1) * (2 * window - 1) + dx + window - 1
    other_window = dict(shapes['plus'])
    other_window['backbone.layers.0.blocks.1.attn.relative_position_index'] = relative_position_index(12) + 1
    with pytest.raises(ValueError, match='relative_position_index is not that of GLEE-Plus'):
        convert_state_dict(other_window, 'plus')


def test_rotary_tables_of_the_release(shapes):
    """Interleaved pairs, rows in the first half, 16 positions over the side (golden notes 'RoPE')."""
    back, _ = revert_state_dict(convert_state_dict(shapes['pro'], 'pro')[0], 'pro')
    token, side = 5 * 96 + 7, 96
    angles = [position / side * 16 * 10000**(-2 * (i // 2) / 32) for position in (5, 7) for i in range(32)]
    np.testing.assert_allclose(back['backbone.net.rope_glb.freqs_cos'][token], np.cos(angles), atol=1e-5)
    np.testing.assert_allclose(back['backbone.net.blocks.23.attn.rope.freqs_sin'][token], np.sin(angles), atol=1e-5)
    token = 3 * 16 + 2
    angles = [float(position) * 10000**(-2 * (i // 2) / 32) for position in (3, 2) for i in range(32)]
    np.testing.assert_allclose(back['backbone.net.blocks.0.attn.rope.freqs_sin'][token], np.sin(angles), atol=1e-5)
    assert len({id(back[name]) for name in expand('backbone.net.blocks.{0,1,3}.attn.rope.freqs_cos')}) == 1
