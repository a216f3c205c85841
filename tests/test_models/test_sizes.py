"""GLEE-Lite, -Plus and -Pro: parameters by part, numerical settings, a forward pass of the real thing."""
import pytest
import torch
from block_references import randomize
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from paths import ROOT, config_file
from torch import nn

from projects.glee.models.layers import MaskDINOPixelDecoder
from projects.glee.utils.complexity import count_parameters

CONFIGS = ROOT / 'configs/glee/_base_/models'

# Of the original model; 'trainable' is the paper's number without the visual prompter's 8,520,960 / 6,456,576 /
# 2,032,896. Frozen batch norms (53,120 weights and biases) are buffers there.
COUNTS = {
    'glee_r50': dict(backbone=23_454_912 + 53_120, pixels=17_211_392, trainable=127_272_261 - 8_520_960),
    'glee_swin-l': dict(backbone=195_201_204, pixels=15_785_984, trainable=295_528_761 - 6_456_576),
    'glee_eva02-l': dict(backbone=307_914_176, pixels=11_572_224, trainable=399_604_293 - 2_032_896),
}


def build(name):
    torch.manual_seed(0)
    return MODELS.build(Config.fromfile(config_file(name)).model).eval()


def check_counts(model, name):
    """Against the parameter counts of the original model."""
    expected = COUNTS[name]
    count = count_parameters(model)
    parts = count.parts
    assert parts['backbone'] == expected['backbone']
    assert parts['text encoder'] == 63_165_952 + 131_072
    assert parts['text encoder, frozen teacher'] == 63_165_952
    assert parts['early fusion'] == 3_155_968
    assert parts['early fusion'] + parts['pixel decoder'] == expected['pixels']
    assert parts['object decoder and heads'] + parts['denoising tables'] == 14_787_973
    assert parts['denoising tables'] == 149_760
    assert count.trainable - parts.get('visual prompter', 0) == expected['trainable']


def check_forward(model, mask_stride):
    """A picture of 64 x 128 px through all of it: sizes, and that text and image both matter."""
    names = ('cat', 'fire hydrant', 'person')
    sample = DetDataSample(metainfo=dict(text=names, text_mode='category', batch_input_shape=(64, 128),
                                         img_shape=(60, 120), ori_shape=(30, 60)))
    image = torch.randn(1, 3, 64, 128, generator=torch.Generator().manual_seed(0))
    model.panoptic_head.category_embed.data.normal_()  # zero until it is initialised or loaded
    with torch.no_grad():
        first, mirrored = (model(x, [sample], mode='tensor') for x in (image, image.flip(3)))
        result, = model(image, [sample], mode='predict')
    positions = sum((64 // stride) * (128 // stride) for stride in (8, 16, 32, 64))
    queries = min(300, positions)
    assert first['pred_logits'].shape == (1, queries, 3) and first['pred_boxes'].shape == (1, queries, 4)
    assert first['pred_masks'].shape == (1, queries, 64 // mask_stride, 128 // mask_stride)
    assert all(torch.isfinite(value).all() for value in first.values())
    assert not torch.allclose(first['pred_logits'], mirrored['pred_logits'])
    assert (first['pred_logits'].std(2) > 0).all()
    assert result.pred_instances.masks.shape == (100, 30, 60)


def norms(module):
    return [part for part in module.modules() if isinstance(part, nn.LayerNorm)]


def test_lite_counts():
    check_counts(build('glee_r50'), 'glee_r50')


@pytest.mark.slow
def test_plus():
    model = build('glee_swin-l')
    check_counts(model, 'glee_swin-l')
    backbone = model.backbone
    assert {norm.eps for norm in norms(backbone)} == {1e-5}
    assert [norm.normalized_shape for norm in (backbone.norm0, backbone.norm1, backbone.norm2, backbone.norm3)] == [
        (192, ), (384, ), (768, ), (1536, )]
    shifts = [block.attn.shift_size for stage in backbone.stages for block in stage.blocks]
    assert shifts == [0, 6] * 12
    assert {block.attn.window_size for stage in backbone.stages for block in stage.blocks} == {12}
    assert backbone.stages[3].blocks[1].attn.drop.drop_prob == pytest.approx(0.3)
    check_forward(model, mask_stride=4)


@pytest.mark.slow
def test_pro():
    model = build('glee_eva02-l')
    check_counts(model, 'glee_eva02-l')
    assert {norm.eps for norm in norms(model.backbone) + norms(model.neck)} == {1e-6}
    whole = [index for index, layer in enumerate(model.backbone.layers) if not layer.attn.window_size]
    assert whole == [2, 5, 8, 11, 14, 17, 20, 23]
    assert {layer.attn.window_size for layer in model.backbone.layers} == {0, 16}
    assert {layer.attn.rope.size for layer in model.backbone.layers} == {16, 96}
    assert model.backbone.layers[0].mlp.w3.in_features == 2730
    check_forward(model, mask_stride=8)


def test_pyramid_levels_reach_the_encoder_unprojected():
    """Mask features come from the finest level, at its own stride."""
    decoder = randomize(MaskDINOPixelDecoder([32] * 4, embed_dims=32, num_layers=0, project=False, norm_groups=4,
                                             early_fusion=None))
    feats = [torch.randn(2, 32, size, size + 2, generator=torch.Generator().manual_seed(size)) for size in (8, 4, 2, 1)]
    with torch.no_grad():
        pixels = decoder(feats)
        lateral = decoder.lateral_conv.gn(decoder.lateral_conv.conv(feats[0]))
        hidden = decoder.output_conv.gn(decoder.output_conv.conv(lateral + feats[0])).relu()
        expected = decoder.mask_conv(hidden)
    assert len(pixels.levels) == 4
    for level, feat in zip(pixels.levels, feats):
        torch.testing.assert_close(level, feat)
    torch.testing.assert_close(pixels.mask_features, expected)
    assert len(decoder.input_convs) == 0
