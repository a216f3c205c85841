"""Learning rates by depth, on top of lr_mult and decay_mult."""
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.optim import build_optim_wrapper
from torch import nn


class Detector(nn.Module):

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.neck = nn.Linear(2, 2)
        self.text_encoder = nn.Linear(2, 2)


def build(model, **paramwise):
    return build_optim_wrapper(model, dict(
        type='OptimWrapper', constructor='LayerDecayOptimWrapperConstructor',
        optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0.1), paramwise_cfg=dict(layer_decay_rate=0.8, **paramwise)))


@pytest.fixture
def model():
    return Detector(MODELS.build(dict(
        type='EVA02', img_size=32, patch_size=8, embed_dims=16, num_layers=4, num_heads=2, window_size=2,
        global_blocks=(1, ), pretrain_img_size=16)))


def test_every_parameter_once_with_the_rate_of_its_depth(model):
    wrapper = build(model, custom_keys={
        'text_encoder': dict(lr_mult=0.1), 'layers.1.norm1': dict(lr_mult=0.5, decay_mult=0.)})
    groups = {id(group['params'][0]): group for group in wrapper.optimizer.param_groups}
    names = dict(model.named_parameters())
    assert len(groups) == len(names)
    depth = {'backbone.pos_embed': 0, 'backbone.patch_embed': 0, 'backbone.layers.0.': 1, 'backbone.layers.1.': 2,
             'backbone.layers.2.': 3, 'backbone.layers.3.': 4, 'neck': 5, 'text_encoder': 5}
    for name, parameter in names.items():
        expected = 1e-2 * 0.8**(5 - next(value for key, value in depth.items() if name.startswith(key)))
        expected *= 0.1 if 'text_encoder' in name else 0.5 if 'layers.1.norm1' in name else 1
        group = groups[id(parameter)]
        assert group['lr'] == pytest.approx(expected), name
        assert group['weight_decay'] == (0 if 'layers.1.norm1' in name else 0.1), name


def test_a_backbone_without_depths_is_named():
    with pytest.raises(TypeError, match='Conv2d has no get_layer_depth'):
        build(Detector(nn.Conv2d(3, 3, 1)))


def test_frozen_parameters_are_left_out(model):
    model.backbone.pos_embed.requires_grad_(False)
    groups = build(model).optimizer.param_groups
    assert not any(torch.equal(group['params'][0], model.backbone.pos_embed) for group in groups)
    assert len(groups) == len(list(model.parameters())) - 1
