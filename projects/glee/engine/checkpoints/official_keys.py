"""Names of the released GLEE checkpoints' entries and of ours, for all sizes and both directions."""
from collections.abc import Callable, Sequence
from functools import cache

from torch import Tensor

from .backbone_keys import (
    BATCH_COUNTERS,
    LINEAR,
    eva02_rows,
    resnet_counters,
    resnet_rows,
    rotary_tables,
    simple_pyramid_rows,
    swin_indices,
    swin_rows,
)
from .clip_keys import POSITION_IDS, clip_text_names
from .conversion_report import ConversionReport
from .key_table import Derived, KeyMismatch, KeyTable, Rename
from .mask_dino_keys import (
    CLASS_WEIGHTS,
    OUR_HEAD,
    OUR_PIXEL_DECODER,
    decoder_aliases,
    decoder_rows,
    input_projection_rows,
    pixel_decoder_rows,
)

SIZES = ('lite', 'plus', 'pro')
_WRAPPER = 'glee.'

# our label table -> theirs
_LABEL_TABLES = dict(
    coco='coco_label_enc', obj365='obj365_label_enc', vg='vg_label_enc', object='grounding_label_enc',
    ytvis19='ytvis19_label_enc', ytvis21='ytvis21_label_enc', ovis='ovis_label_enc',
    uvo='uvo_label_enc', bdd_det='bdd_det', bdd_inst='bdd_inst')

_OPTIONAL = dict(
    teacher='no teacher of distillation (stage 1): ours becomes a copy of the text encoder when '
    'loaded',
    prompter='no visual prompter: load_ignore=prompter keeps that of the model')
_DROPS = (POSITION_IDS, CLASS_WEIGHTS)


def _text_rows() -> list[Rename]:
    ours = OUR_HEAD + 'text_encoder.'
    rows = [Rename('lang_projection', ours + 'lang_projection')]
    rows += [Rename(f'text_encoder.text_model.{name}', f'{ours}text_model.{name}')
             for name in clip_text_names()]
    rows += [Rename(f'text_encoder_teacher.text_model.{name}', f'{ours}teacher.{name}', group='teacher')
             for name in clip_text_names()]
    return rows


def _fusion_rows() -> list[Rename]:
    theirs = 'pixel_decoder.transformer.encoder.vl_layers.0.b_attn.'
    linears = ('v_proj', 'l_proj', 'values_v_proj', 'values_l_proj', 'out_v_proj', 'out_l_proj')
    our_linears = ('visual_proj', 'text_proj', 'visual_value_proj', 'text_value_proj',
                   'visual_out_proj', 'text_out_proj')
    rows = [
        Rename('gamma_{v,l}', 'gamma_{visual,text}'),
        Rename(f'layer_norm_{{v,l}}.{LINEAR}', f'norm_{{visual,text}}.{LINEAR}'),
        Rename(f'attn.{{{",".join(linears)}}}.{LINEAR}', f'{{{",".join(our_linears)}}}.{LINEAR}'),
    ]
    return [row.prefixed(theirs, OUR_PIXEL_DECODER + 'early_fusion.') for row in rows]


def _head_rows() -> list[Rename]:
    """What GLEE adds to Mask DINO's heads."""
    return [
        Rename('predictor.category_embed', OUR_HEAD + 'category_embed'),
        Rename(f'predictor.confidence_score.layers.{{0,1}}.{LINEAR}',
               f'{OUR_HEAD}confidence_head.layers.{{0,1}}.{LINEAR}'),
        Rename(f'predictor.{{{",".join(_LABEL_TABLES.values())}}}.weight',
               f'{OUR_HEAD}denoising.label_tables.{{{",".join(_LABEL_TABLES)}}}.weight'),
    ]


def _prompter_rows() -> list[Rename]:
    rows = [
        Rename(f'sot_fuser.refine.{{0..2}}.{LINEAR}', f'template_convs.{{0..2}}.{LINEAR}', group='prompter'),
        Rename('mask_sptial_embed.{0..3}', 'point_embeds.{0..3}', group='prompter'),
        Rename('pn_indicator.weight', 'sign_embed.weight', group='prompter'),
    ]
    return [row.prefixed(ours=OUR_HEAD + 'prompter.') for row in rows]


def _table(name: str, backbone: list[Rename], shapes: dict[str, tuple[int, ...]],
           derived: Sequence[Derived] = (), our_derived: Sequence[Derived] = (),
           project: bool = True) -> KeyTable:
    """The table of one size: its backbone (names in the whole model) and what all sizes share."""
    rows = backbone + _text_rows() + pixel_decoder_rows() + _fusion_rows() + decoder_rows() + _head_rows()
    rows += _prompter_rows()
    if project:
        rows += input_projection_rows()
    return KeyTable(name, tuple(rows), tuple(decoder_aliases()), tuple(derived), tuple(our_derived), _DROPS,
                    (BATCH_COUNTERS, ), shapes, _OPTIONAL)


def _inside(rows: list, *prefixes: str) -> list:
    """Rows of a part as rows of the whole model."""
    return [row.prefixed(*prefixes) for row in rows]


def _lite() -> KeyTable:
    return _table(
        'GLEE-Lite (R50)',
        _inside(resnet_rows(), 'backbone.', 'backbone.'),
        {'backbone.stem.conv1.weight': (64, 3, 7, 7)},
        our_derived=_inside(resnet_counters(), 'backbone.'))


def _plus() -> KeyTable:
    depths, window = (2, 2, 18, 2), 12
    return _table(
        'GLEE-Plus (Swin-L)',
        _inside(swin_rows(depths), 'backbone.', 'backbone.'),
        {'backbone.patch_embed.proj.weight': (192, 3, 4, 4)},
        _inside(swin_indices(depths, window, ours=False), 'backbone.'),
        _inside(swin_indices(depths, window, ours=True), 'backbone.'))


def _pro() -> KeyTable:
    depth, global_blocks = 24, range(2, 24, 3)
    rows = _inside(eva02_rows(depth), 'backbone.net.', 'backbone.')
    rows += _inside(simple_pyramid_rows(), 'backbone.simfp_', 'neck.')
    return _table(
        'GLEE-Pro (EVA02-L)', rows,
        {'backbone.net.pos_embed': (1, 197, 1024),
         'backbone.net.patch_embed.proj.weight': (1024, 3, 16, 16)},
        _inside(rotary_tables(depth, global_blocks), 'backbone.net.'), project=False)


_TABLES: dict[str, Callable[[], KeyTable]] = dict(lite=_lite, plus=_plus, pro=_pro)


@cache
def official_table(size: str) -> KeyTable:
    """Table of the released model ``size``; ValueError if it is none of ``SIZES``."""
    if size not in SIZES:
        raise ValueError(f'size must be one of {SIZES}, got {size!r}')
    return _TABLES[size]()


def strip_wrapper(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Bare official keys; the original's training puts 'glee.' in front of the model's."""
    return {key.removeprefix(_WRAPPER): value for key, value in state_dict.items()}


def wrap_official(state_dict: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Bare official keys as the original's training stores them."""
    return dict(model={_WRAPPER + key: value for key, value in state_dict.items()})


def convert_state_dict(official: dict[str, Tensor],
                       size: str) -> tuple[dict[str, Tensor], ConversionReport]:
    """Our state dict made of an official one (bare keys), and what was done with every entry.

    Raises:
        KeyMismatch: (a ValueError) the entries are not those of ``size``; a size they fit is named.
    """
    return _guarded(official_table(size).to_ours, official, size, ours=False)


def revert_state_dict(state_dict: dict[str, Tensor],
                      size: str) -> tuple[dict[str, Tensor], ConversionReport]:
    """Bare official keys made of our state dict; inverse of ``convert_state_dict``."""
    return _guarded(official_table(size).to_theirs, state_dict, size, ours=True)


def _guarded(convert: Callable, state_dict: dict[str, Tensor], size: str, ours: bool):
    """Add to a mismatch what the entries look like."""
    try:
        return convert(state_dict)
    except KeyMismatch as error:
        fitting = guess_size(state_dict, ours)
        hint = '' if fitting in (None, size) else f'this looks like size {fitting!r}, not {size!r}: '
        raise KeyMismatch(f'{hint}{error}', error.missing, error.unknown) from error


def guess_size(state_dict: dict[str, Tensor], ours: bool = False) -> str | None:
    """The size whose backbone has most of its entries in ``state_dict``, if more than half."""
    def share(size: str) -> float:
        names = [name for row in official_table(size).rows for name in row[1 if ours else 0]
                 if name.startswith('backbone.')]
        return sum(name in state_dict for name in names) / len(names)

    best = max(SIZES, key=share)
    return best if share(best) > 0.5 else None
