"""Rows that rename Mask DINO's pixel decoder and object decoder, in released Mask DINO and GLEE files."""
from .backbone_keys import LINEAR
from .key_table import Alias, Rename

OUR_PIXEL_DECODER = 'panoptic_head.pixel_decoder.'
OUR_HEAD = 'panoptic_head.'
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
        Rename('{adapter_1,layer_1}.weight', '{lateral_conv,output_conv}.conv.weight'),
        Rename(f'{{adapter_1,layer_1}}.norm.{LINEAR}', f'{{lateral_conv,output_conv}}.gn.{LINEAR}'),
    ]
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
