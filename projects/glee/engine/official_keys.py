"""Names of the released GLEE checkpoints' entries and of ours (golden notes 'Checkpoint layout')."""
import re

from torch import Tensor

SIZES = ('lite', )

_HEAD = 'panoptic_head.'
_PIXEL = _HEAD + 'pixel_decoder.'
_DECODER = _HEAD + 'decoder.'
_FUSION = r'^pixel_decoder\.transformer\.encoder\.vl_layers\.0\.b_attn\.'
_TABLES = dict(coco='coco_label_enc', obj365='obj365_label_enc', vg='vg_label_enc',
               object='grounding_label_enc', ytvis19='ytvis19_label_enc',
               ytvis21='ytvis21_label_enc', ovis='ovis_label_enc', uvo='uvo_label_enc',
               bdd_det='bdd_det', bdd_inst='bdd_inst')

# (pattern of an official key, replacement); the first match wins and every key must match one.
_RULES: list[tuple[str, str]] = [
    (r'^lang_projection$', _HEAD + 'text_encoder.lang_projection'),
    (r'^text_encoder\.text_model\.', _HEAD + 'text_encoder.text_model.'),
    (r'^text_encoder_teacher\.text_model\.', _HEAD + 'text_encoder.teacher.'),
    (_FUSION + r'gamma_v$', _PIXEL + 'early_fusion.gamma_visual'),
    (_FUSION + r'gamma_l$', _PIXEL + 'early_fusion.gamma_text'),
    (_FUSION + r'layer_norm_v\.', _PIXEL + 'early_fusion.norm_visual.'),
    (_FUSION + r'layer_norm_l\.', _PIXEL + 'early_fusion.norm_text.'),
    (_FUSION + r'attn\.v_proj\.', _PIXEL + 'early_fusion.visual_proj.'),
    (_FUSION + r'attn\.l_proj\.', _PIXEL + 'early_fusion.text_proj.'),
    (_FUSION + r'attn\.values_v_proj\.', _PIXEL + 'early_fusion.visual_value_proj.'),
    (_FUSION + r'attn\.values_l_proj\.', _PIXEL + 'early_fusion.text_value_proj.'),
    (_FUSION + r'attn\.out_v_proj\.', _PIXEL + 'early_fusion.visual_out_proj.'),
    (_FUSION + r'attn\.out_l_proj\.', _PIXEL + 'early_fusion.text_out_proj.'),
    (r'^pixel_decoder\.transformer\.level_embed$', _PIXEL + 'level_embed'),
    (r'^pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.self_attn\.', _PIXEL + r'layers.\1.self_attn.'),
    (r'^pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.norm1\.', _PIXEL + r'layers.\1.norms.0.'),
    (r'^pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.norm2\.', _PIXEL + r'layers.\1.norms.1.'),
    (r'^pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.linear1\.', _PIXEL + r'layers.\1.ffn.layers.0.0.'),
    (r'^pixel_decoder\.transformer\.encoder\.layers\.(\d+)\.linear2\.', _PIXEL + r'layers.\1.ffn.layers.1.'),
    (r'^pixel_decoder\.input_proj\.(\d+)\.0\.', _PIXEL + r'input_convs.\1.conv.'),
    (r'^pixel_decoder\.input_proj\.(\d+)\.1\.', _PIXEL + r'input_convs.\1.gn.'),
    (r'^pixel_decoder\.adapter_1\.norm\.', _PIXEL + 'lateral_conv.gn.'),
    (r'^pixel_decoder\.adapter_1\.', _PIXEL + 'lateral_conv.conv.'),
    (r'^pixel_decoder\.layer_1\.norm\.', _PIXEL + 'output_conv.gn.'),
    (r'^pixel_decoder\.layer_1\.', _PIXEL + 'output_conv.conv.'),
    (r'^pixel_decoder\.mask_features\.', _PIXEL + 'mask_conv.'),
    (r'^sot_fuser\.refine\.(\d+)\.', _HEAD + r'prompter.template_convs.\1.'),
    (r'^mask_sptial_embed\.(\d+)$', _HEAD + r'prompter.point_embeds.\1'),
    (r'^pn_indicator\.', _HEAD + 'prompter.sign_embed.'),
    (r'^predictor\.category_embed$', _HEAD + 'category_embed'),
    (r'^predictor\.enc_output\.', _HEAD + 'memory_proj.'),
    (r'^predictor\.enc_output_norm\.', _HEAD + 'memory_norm.'),
    (r'^predictor\.confidence_score\.', _HEAD + 'confidence_head.'),
    (r'^predictor\.mask_embed\.', _HEAD + 'mask_head.'),
    (r'^predictor\._bbox_embed\.', _HEAD + 'box_head.'),
    (r'^predictor\.decoder_norm\.', _DECODER + 'norm.'),
    (r'^predictor\.decoder\.ref_point_head\.', _DECODER + 'ref_point_head.'),
    (r'^predictor\.decoder\.layers\.(\d+)\.self_attn\.', _DECODER + r'layers.\1.self_attn.'),
    (r'^predictor\.decoder\.layers\.(\d+)\.cross_attn\.', _DECODER + r'layers.\1.cross_attn.'),
    (r'^predictor\.decoder\.layers\.(\d+)\.norm2\.', _DECODER + r'layers.\1.norms.0.'),
    (r'^predictor\.decoder\.layers\.(\d+)\.norm1\.', _DECODER + r'layers.\1.norms.1.'),
    (r'^predictor\.decoder\.layers\.(\d+)\.norm3\.', _DECODER + r'layers.\1.norms.2.'),
    (r'^predictor\.decoder\.layers\.(\d+)\.linear1\.', _DECODER + r'layers.\1.ffn.layers.0.0.'),
    (r'^predictor\.decoder\.layers\.(\d+)\.linear2\.', _DECODER + r'layers.\1.ffn.layers.1.'),
    *((rf'^predictor\.{official}\.weight$', _HEAD + f'denoising.label_tables.{name}.weight')
      for name, official in _TABLES.items()),
    (r'^backbone\.stem\.conv1\.norm\.', 'backbone.bn1.'),
    (r'^backbone\.stem\.conv1\.', 'backbone.conv1.'),
    *((rf'^backbone\.res{stage + 1}\.(\d+)\.shortcut\.norm\.', rf'backbone.layer{stage}.\1.downsample.1.')
      for stage in range(1, 5)),
    *((rf'^backbone\.res{stage + 1}\.(\d+)\.shortcut\.', rf'backbone.layer{stage}.\1.downsample.0.')
      for stage in range(1, 5)),
    *((rf'^backbone\.res{stage + 1}\.(\d+)\.conv(\d)\.norm\.', rf'backbone.layer{stage}.\1.bn\2.')
      for stage in range(1, 5)),
    *((rf'^backbone\.res{stage + 1}\.(\d+)\.conv(\d)\.', rf'backbone.layer{stage}.\1.conv\2.')
      for stage in range(1, 5)),
]

# (pattern of an official key, why it is not needed)
_DROPPED: list[tuple[str, str]] = [
    (r'position_ids$', 'derived: positions 0..76'),
    (r'^criterion\.empty_weight$', 'unused by the sigmoid losses'),
    (r'^predictor\.(decoder\.)?bbox_embed\.\d+\.', 'alias of predictor._bbox_embed'),
    (r'^predictor\.decoder\.norm\.', 'alias of predictor.decoder_norm'),
]


def unwrap_official(checkpoint: dict) -> dict[str, Tensor]:
    """State dict of a released file: bare, or inside ``model`` with the prefix ``glee.``."""
    state_dict = checkpoint.get('model', checkpoint)
    return {key.removeprefix('glee.'): value for key, value in state_dict.items()}


def convert_state_dict(official: dict[str, Tensor],
                       size: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Rename every entry of an official state dict.

    Args:
        official: bare official keys.
        size: one of ``SIZES``.

    Returns:
        tuple: our state dict, and the official keys left out with the reason.

    Raises:
        ValueError: for an unknown size or a key without a rule.
    """
    if size not in SIZES:
        raise ValueError(f'size must be one of {SIZES}, got {size!r}')
    converted, dropped, unknown = {}, {}, []
    for key, value in official.items():
        reason = next((why for pattern, why in _DROPPED if re.search(pattern, key)), None)
        rule = next(((p, r) for p, r in _RULES if re.search(p, key)), None)
        if reason is not None:
            dropped[key] = reason
        elif rule is not None:
            converted[re.sub(*rule, key)] = value
        else:
            unknown.append(key)
    if unknown:
        raise ValueError(
            f'{len(unknown)} keys are unknown for size {size!r}: {", ".join(unknown[:5])}... '
            'Is it a checkpoint of another size?')
    return converted, dropped
