"""Rows that rename backbones between the layouts of released checkpoints and mmdet's."""
from collections.abc import Sequence

import torch
from torch import Tensor

from projects.glee.models.backbones.efficientnet_lite0 import STAGES
from projects.glee.models.backbones.eva02 import AxialRotaryEmbedding

from .key_table import Derived, Drop, Join, Layout, Rename

LINEAR = '{weight,bias}'
BATCH_NORM = '{weight,bias,running_mean,running_var}'

# The name of a batch norm's counter is unknown to released checkpoints, whose statistics are frozen.
BATCH_COUNTERS = Drop(r'\.num_batches_tracked$', 'counter of training batches: the statistics are frozen')


def resnet_rows(depths: tuple[int, ...] = (3, 4, 6, 3)) -> list[Rename]:
    """ResNet with bottlenecks: detectron2's names to mmdet's ``ResNet``."""
    rows = [
        Rename('stem.conv1.weight', 'conv1.weight'),
        Rename(f'stem.conv1.norm.{BATCH_NORM}', f'bn1.{BATCH_NORM}'),
    ]
    for stage, depth in enumerate(depths, 1):
        theirs, ours, blocks = f'res{stage + 1}', f'layer{stage}', f'{{0..{depth - 1}}}'
        rows += [
            Rename(f'{theirs}.0.shortcut.weight', f'{ours}.0.downsample.0.weight'),
            Rename(f'{theirs}.0.shortcut.norm.{BATCH_NORM}', f'{ours}.0.downsample.1.{BATCH_NORM}'),
            Rename(f'{theirs}.{blocks}.conv{{1..3}}.weight', f'{ours}.{blocks}.conv{{1..3}}.weight'),
            Rename(f'{theirs}.{blocks}.conv{{1..3}}.norm.{BATCH_NORM}',
                   f'{ours}.{blocks}.bn{{1..3}}.{BATCH_NORM}'),
        ]
    return rows


def resnet_counters(depths: tuple[int, ...] = (3, 4, 6, 3)) -> list[Derived]:
    """Our batch norms' counters, which detectron2's frozen ones do not have."""
    names = ['bn1', *(f'layer{stage}.0.downsample.1' for stage in range(1, len(depths) + 1)),
             *(f'layer{stage}.{{0..{depth - 1}}}.bn{{1..3}}' for stage, depth in enumerate(depths, 1))]
    return [Derived(f'{name}.num_batches_tracked', lambda: torch.tensor(0), BATCH_COUNTERS.reason,
                    checked=False) for name in names]


def _unfold_order(weight: Tensor) -> Tensor:
    """Last axis (4C) from neighbours (column, row, C), as released, to (C, row, column) of nn.Unfold."""
    return weight.unflatten(-1, (2, 2, -1)).transpose(-1, -3).flatten(-3)


def _concatenated_order(weight: Tensor) -> Tensor:
    """Inverse of ``_unfold_order``."""
    return weight.unflatten(-1, (-1, 2, 2)).transpose(-1, -3).flatten(-3)


PATCH_MERGING = Layout(_unfold_order, _concatenated_order, 'input channels in the order of nn.Unfold')


def swin_rows(depths: tuple[int, ...] = (2, 2, 18, 2), out_norms: bool = True) -> list[Rename]:
    """Swin: the original repository's names to mmdet's ``SwinTransformer``.

    ``out_norms``: whether there is one LayerNorm per output level (detectors) or none.
    """
    rows = [
        Rename(f'patch_embed.proj.{LINEAR}', f'patch_embed.projection.{LINEAR}'),
        Rename(f'patch_embed.norm.{LINEAR}', f'patch_embed.norm.{LINEAR}'),
    ]
    for stage, depth in enumerate(depths):
        theirs = f'layers.{stage}.blocks.{{0..{depth - 1}}}'
        ours = f'stages.{stage}.blocks.{{0..{depth - 1}}}'
        rows += [
            Rename(f'{theirs}.{{norm1,norm2}}.{LINEAR}', f'{ours}.{{norm1,norm2}}.{LINEAR}'),
            Rename(f'{theirs}.attn.relative_position_bias_table',
                   f'{ours}.attn.w_msa.relative_position_bias_table'),
            Rename(f'{theirs}.attn.{{qkv,proj}}.{LINEAR}', f'{ours}.attn.w_msa.{{qkv,proj}}.{LINEAR}'),
            Rename(f'{theirs}.mlp.{{fc1,fc2}}.{LINEAR}', f'{ours}.ffn.layers.{{0.0,1}}.{LINEAR}'),
        ]
    downsamples = f'{{0..{len(depths) - 2}}}.downsample'
    rows += [
        Rename(f'layers.{downsamples}.reduction.weight', f'stages.{downsamples}.reduction.weight',
               PATCH_MERGING),
        Rename(f'layers.{downsamples}.norm.{LINEAR}', f'stages.{downsamples}.norm.{LINEAR}',
               PATCH_MERGING),
    ]
    if out_norms:
        levels = f'norm{{0..{len(depths) - 1}}}.{LINEAR}'
        rows.append(Rename(levels, levels))
    return rows


def relative_position_index(window: int) -> Tensor:
    """Row of Swin's bias table for every pair of positions in a window: (window², window²)."""
    y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing='ij')
    y, x = y.flatten(), x.flatten()
    return ((y[:, None] - y + window - 1) * (2 * window - 1) + x[:, None] - x + window - 1)


def swin_indices(depths: tuple[int, ...], window: int, ours: bool) -> list[Derived]:
    """The index buffers of our or of the original Swin."""
    stages, attention = ('stages', 'attn.w_msa') if ours else ('layers', 'attn')
    return [Derived(f'{stages}.{stage}.blocks.{{0..{depth - 1}}}.{attention}.relative_position_index',
                    lambda: relative_position_index(window), f'function of the window size {window}')
            for stage, depth in enumerate(depths)]


def efficientnet_lite0_rows() -> list[Rename]:
    """EfficientNet-Lite0: the names of the PyTorch port to our ``EfficientNetLite0``, classifier left out."""
    norm = '{weight,bias,running_mean,running_var,num_batches_tracked}'
    rows = [Rename('_conv_stem.weight', 'layers.0.conv.weight'), Rename(f'_bn0.{norm}', f'layers.0.bn.{norm}')]
    their_block = 0
    for stage, (*_, expansion, _, num_blocks) in enumerate(STAGES, 1):
        for block in range(num_blocks):
            theirs, ours = f'_blocks.{their_block}', f'layers.{stage}.{block}'
            steps = [('_depthwise_conv', '_bn1', 'depthwise_conv'), ('_project_conv', '_bn2', 'linear_conv')]
            if expansion > 1:
                steps.insert(0, ('_expand_conv', '_bn0', 'expand_conv'))
            for conv, their_norm, step in steps:
                rows += [Rename(f'{theirs}.{conv}.weight', f'{ours}.{step}.conv.weight'),
                         Rename(f'{theirs}.{their_norm}.{norm}', f'{ours}.{step}.bn.{norm}')]
            their_block += 1
    return rows


def eva02_rows(num_layers: int = 24) -> list[Rename]:
    """EVA-02: the original repository's names to our ``EVA02``."""
    theirs, ours = f'blocks.{{0..{num_layers - 1}}}', f'layers.{{0..{num_layers - 1}}}'
    return [
        Rename('pos_embed', 'pos_embed'),
        Rename(f'patch_embed.proj.{LINEAR}', f'patch_embed.projection.{LINEAR}'),
        Rename(f'{theirs}.{{norm1,norm2}}.{LINEAR}', f'{ours}.{{norm1,norm2}}.{LINEAR}'),
        Rename(f'{theirs}.attn.{{q_bias,v_bias}}', f'{ours}.attn.{{q_proj,v_proj}}.bias'),
        Rename(f'{theirs}.attn.{{q_proj,k_proj,v_proj}}.weight',
               f'{ours}.attn.{{q_proj,k_proj,v_proj}}.weight'),
        Rename(f'{theirs}.attn.proj.{LINEAR}', f'{ours}.attn.proj.{LINEAR}'),
        Join(f'{theirs}.mlp.{{w1,w2}}.weight', f'{ours}.mlp.w12.weight'),
        Join(f'{theirs}.mlp.{{w1,w2}}.bias', f'{ours}.mlp.w12.bias'),
        Rename(f'{theirs}.mlp.{{ffn_ln,w3}}.{LINEAR}', f'{ours}.mlp.{{norm,w3}}.{LINEAR}'),
    ]


def rotary_tables(num_layers: int, global_blocks: Sequence[int], head_dims: int = 64, window: int = 16,
                  grid: int = 96) -> list[Derived]:
    """The original detector's rotary tables, stored once and again in every block."""
    rules = []
    for kind, size, blocks in (
            ('win', window, [i for i in range(num_layers) if i not in global_blocks]),
            ('glb', grid, list(global_blocks))):
        names = [f'rope_{kind}', *(f'blocks.{i}.attn.rope' for i in blocks)]
        rules += [
            Derived(f'{{{",".join(names)}}}.freqs_{part}',
                    lambda part=part, size=size: getattr(AxialRotaryEmbedding(head_dims, size), part),
                    f'rotary positions of {size} x {size} tokens') for part in ('cos', 'sin')]
    return rules


def simple_pyramid_rows() -> list[Rename]:
    """ViTDet's feature pyramid: names behind 'simfp_' to our ``SimpleFeaturePyramid``."""
    rows = [Rename(f'3.0.{LINEAR}', f'resizes.0.{LINEAR}')]
    for level, first in enumerate((1, 0, 1)):
        for step, convs in enumerate(('lateral_convs', 'output_convs')):
            theirs = f'{level + 3}.{first + step}'
            rows += [Rename(f'{theirs}.weight', f'{convs}.{level}.conv.weight'),
                     Rename(f'{theirs}.norm.{LINEAR}', f'{convs}.{level}.ln.{LINEAR}')]
    return rows
