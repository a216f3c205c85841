"""Mask DINO's names and ours: rows that GLEE's table shares, and the table of released Mask DINO files."""
import re
from functools import cache

from .backbone_keys import BATCH_COUNTERS, LINEAR, resnet_counters, resnet_rows
from .key_table import Alias, Drop, KeyTable, Rename

OUR_PIXEL_DECODER = 'panoptic_head.pixel_decoder.'
OUR_HEAD = 'panoptic_head.'
CLASS_WEIGHTS = Drop(r'^criterion\.empty_weight$', 'class weights that the sigmoid losses do not use')

# Parts of ours that Mask DINO lacks, as regular expressions; load_ignore of the runner takes them.
GLEE_PARTS = ('text_encoder', 'early_fusion', 'category_embed', 'confidence_head', 'label_tables', 'prompter')
# Parts that read the backbone's maps, and so change with it.
BACKBONE_PARTS = ('^backbone', '^neck', 'input_convs', 'lateral_conv')
_DEFORMABLE = f'{{sampling_offsets,attention_weights,value_proj,output_proj}}.{LINEAR}'


def pixel_decoder_rows(num_layers: int = 6) -> list[Rename]:
    """The deformable encoder and the mask features; their names start behind 'pixel_decoder.'."""
    layers = f'layers.{{0..{num_layers - 1}}}'
    theirs = f'transformer.encoder.{layers}'
    rows = [
        Rename('transformer.level_embed', 'level_embed'),
        Rename(f'{theirs}.self_attn.{_DEFORMABLE}', f'{layers}.self_attn.{_DEFORMABLE}'),
        Rename(f'{theirs}.{{norm1,norm2}}.{LINEAR}', f'{layers}.norms.{{0,1}}.{LINEAR}'),
        Rename(f'{theirs}.{{linear1,linear2}}.{LINEAR}', f'{layers}.ffn.layers.{{0.0,1}}.{LINEAR}'),
        Rename(f'mask_features.{LINEAR}', f'mask_conv.{LINEAR}'),
    ]
    for their, our in (('adapter_1', 'lateral_conv'), ('layer_1', 'output_conv')):
        rows += [Rename(f'{their}.weight', f'{our}.conv.weight'),
                 Rename(f'{their}.norm.{LINEAR}', f'{our}.gn.{LINEAR}')]
    return [row.prefixed('pixel_decoder.', OUR_PIXEL_DECODER) for row in rows]


def input_projection_rows(num_levels: int = 4) -> list[Rename]:
    """Convolution and GroupNorm on every input of the encoder (not with a ViT)."""
    levels = f'{{0..{num_levels - 1}}}'
    return [Rename(f'pixel_decoder.input_proj.{levels}.{{0,1}}.{LINEAR}',
                   f'{OUR_PIXEL_DECODER}input_convs.{levels}.{{conv,gn}}.{LINEAR}')]


def decoder_rows(num_layers: int = 9) -> list[Rename]:
    """Query selection, decoder layers, box and mask heads; their names start with 'predictor.'."""
    layers = f'decoder.layers.{{0..{num_layers - 1}}}'
    rows = [
        Rename(f'{{enc_output,enc_output_norm}}.{LINEAR}', f'{{memory_proj,memory_norm}}.{LINEAR}'),
        Rename(f'_bbox_embed.layers.{{0..2}}.{LINEAR}', f'box_head.layers.{{0..2}}.{LINEAR}'),
        Rename(f'mask_embed.layers.{{0..2}}.{LINEAR}', f'mask_head.layers.{{0..2}}.{LINEAR}'),
        Rename(f'decoder_norm.{LINEAR}', f'decoder.norm.{LINEAR}'),
        Rename(f'decoder.ref_point_head.layers.{{0,1}}.{LINEAR}',
               f'decoder.ref_point_head.layers.{{0,1}}.{LINEAR}'),
        Rename(f'{layers}.self_attn.{{in_proj_weight,in_proj_bias,out_proj.weight,out_proj.bias}}',
               f'{layers}.self_attn.{{in_proj_weight,in_proj_bias,out_proj.weight,out_proj.bias}}'),
        Rename(f'{layers}.cross_attn.{_DEFORMABLE}', f'{layers}.cross_attn.{_DEFORMABLE}'),
        # theirs are numbered as written (cross, self, FFN), ours as they run
        Rename(f'{layers}.{{norm2,norm1,norm3}}.{LINEAR}', f'{layers}.norms.{{0,1,2}}.{LINEAR}'),
        Rename(f'{layers}.{{linear1,linear2}}.{LINEAR}', f'{layers}.ffn.layers.{{0.0,1}}.{LINEAR}'),
    ]
    return [row.prefixed('predictor.', OUR_HEAD) for row in rows]


def decoder_aliases(num_layers: int = 9, prefix: str = 'predictor.') -> list[Alias]:
    """The shared box head and the shared LayerNorm are stored under several names."""
    copies = f'{{bbox_embed,decoder.bbox_embed}}.{{0..{num_layers - 1}}}'
    return [
        Alias(f'{prefix}{copies}.layers.{{0..2}}.{LINEAR}',
              f'{prefix}_bbox_embed.layers.{{0..2}}.{LINEAR}'),
        Alias(f'{prefix}decoder.norm.{LINEAR}', f'{prefix}decoder_norm.{LINEAR}'),
    ]


@cache
def mask_dino_table(same_backbone: bool = True) -> KeyTable:
    """Released Mask DINO R50 (4 levels, feed-forward width 2048) to the start of stage 1.

    Args:
        same_backbone: our model has a ResNet-50 too; otherwise the backbone and the convolutions
            that read its maps are left out.
    """
    head, drops = 'sem_seg_head.', [
        CLASS_WEIGHTS,
        Drop(r'predictor\.class_embed\.', 'classifier of COCO: our names come from text'),
        Drop(r'predictor\.label_enc\.', 'denoising labels of COCO: our label tables start anew'),
        Drop(r'predictor\.(query_feat|query_embed)\.', 'learned queries: ours are selected'),
        Drop(r'^pixel_(mean|std)$', 'normalisation: in the config of the data preprocessor'),
    ]
    rows = pixel_decoder_rows() + input_projection_rows() + decoder_rows()
    if not same_backbone:
        drops += [Drop(r'^backbone\.', 'another backbone'),
                  Drop(r'pixel_decoder\.(input_proj|adapter_1)\.', 'reads the maps of another backbone')]
        rows = [row for row in rows if not any(re.search(part, row.ours) for part in BACKBONE_PARTS)]
    rows = [row.prefixed(head) for row in rows]
    if same_backbone:
        rows += [row.prefixed('backbone.', 'backbone.') for row in resnet_rows()]
    parts = GLEE_PARTS if same_backbone else GLEE_PARTS + BACKBONE_PARTS
    return KeyTable(
        'Mask DINO R50 with 4 levels and feed-forward width 2048', tuple(rows),
        tuple(decoder_aliases(prefix=f'{head}predictor.')), (),
        tuple(rule.prefixed('backbone.') for rule in resnet_counters()) if same_backbone else (),
        tuple(drops),
        (BATCH_COUNTERS, *(Drop(part, 'not a part of Mask DINO R50') for part in parts)),
        {f'{head}pixel_decoder.transformer.encoder.layers.0.linear1.weight': (2048, 256)})
