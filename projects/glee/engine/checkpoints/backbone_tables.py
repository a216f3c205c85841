"""Tables of pre-trained backbones alone: weights of classification or image modelling."""
import re
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from .backbone_keys import efficientnet_lite0_rows, eva02_rows, swin_rows
from .conversion_report import ConversionReport
from .key_table import Drop, KeyMismatch, KeyTable, Rename

_OURS = 'backbone.'
# Swin-T has 6 blocks in its third stage; Swin-S, -B and -L have 18.
_SWIN_DEPTHS = {6: (2, 2, 6, 2), 18: (2, 2, 18, 2)}
_CLASSIFIER = Drop(r'^(\w+\.)*(head|fc_norm|lm_head)\.', 'classifier or reconstruction head')


class _Layout(NamedTuple):
    """``anchor``: an entry that tells the layout. ``table``: from (names, prefix) to the table."""
    anchor: str
    table: Callable[[list[str], str], KeyTable]


def convert_backbone(state_dict: dict[str, Tensor],
                     arch: str) -> tuple[dict[str, Tensor], ConversionReport]:
    """Our backbone's entries, with 'backbone.' in front, made of released ones.

    Args:
        state_dict: bare weights, or those of a larger model with any prefix.
        arch: one of ``ARCHS``.

    Raises:
        KeyMismatch: it holds no backbone of that kind, or an incomplete one.
    """
    for layout in _LAYOUTS[arch]:
        found = next((name for name in state_dict if name.endswith(layout.anchor)), None)
        if found is not None:
            table = layout.table(list(state_dict), found.removesuffix(layout.anchor))
            return table.to_ours(state_dict)
    raise KeyMismatch(f'no {arch} backbone: no name ends in '
                      f'{" or ".join(layout.anchor for layout in _LAYOUTS[arch])}')


def revert_backbone(state_dict: dict[str, Tensor],
                    arch: str) -> tuple[dict[str, Tensor], ConversionReport]:
    """Bare entries in the original repository's layout, made of ours; of a whole model, the backbone."""
    return _LAYOUTS[arch][0].table(list(state_dict), '').to_theirs(state_dict)


def _drop_others(prefix: str) -> tuple[Drop, ...]:
    return (Drop(f'^(?!{re.escape(prefix)})', 'not the backbone'), ) if prefix else ()


def _swin_depths(names: list[str]) -> tuple[int, ...]:
    blocks = {found[1] for found in (re.search(r'(?:layers|stages)\.2\.blocks\.(\d+)\.', name) for name in names)
              if found}
    if len(blocks) not in _SWIN_DEPTHS:
        raise KeyMismatch(f'no known Swin: its third stage has {len(blocks)} blocks, expected one of '
                          f'{list(_SWIN_DEPTHS)}')
    return _SWIN_DEPTHS[len(blocks)]


def _original_swin(names: list[str], prefix: str) -> KeyTable:
    drops = [Drop(f'^{re.escape(prefix)}norm\\.', "classifier's norm: a detector has one per level")]
    return _swin_table(_swin_depths(names), prefix, swin_rows(_swin_depths(names), out_norms=False), drops)


def _mmdet_swin(names: list[str], prefix: str) -> KeyTable:
    rows = [Rename(row.ours, row.ours) for row in swin_rows(_swin_depths(names), out_norms=False)]
    return _swin_table(_swin_depths(names), prefix, rows, [])


def _swin_table(depths: tuple[int, ...], prefix: str, rows: list[Rename], drops: list[Drop]) -> KeyTable:
    optional = {}
    for level in range(len(depths)):
        name = f'norm{level}.{{weight,bias}}'
        rows.append(Rename(name, name, group=f'norm{level}'))
        optional[f'norm{level}'] = 'not in the file: keeps its initial ones and zeros'
    index = Drop(r'relative_position_index$', 'function of the window size')
    drops = [*_drop_others(prefix), _CLASSIFIER, index, Drop(r'\.attn_mask$', 'function of the image size'), *drops]
    return KeyTable(f'Swin with {depths} blocks', tuple(row.prefixed(prefix, _OURS) for row in rows),
                    drops=tuple(drops), our_drops=(*_drop_others(_OURS), index), optional=optional)


def _original_eva02(names: list[str], prefix: str) -> KeyTable:
    begin = f'^{re.escape(prefix)}'
    return KeyTable(
        'EVA02-L with patches of 16 px, pre-trained at 224 px',
        tuple(row.prefixed(prefix, _OURS) for row in eva02_rows()),
        drops=(*_drop_others(prefix), _CLASSIFIER,
               Drop(r'(^|\.)rope\w*\.freqs_(cos|sin)$', 'function of the image size'),
               Drop(f'{begin}(cls_token|mask_token)$', 'a detector has no such token'),
               Drop(f'{begin}norm\\.', 'last norm: the feature pyramid reads the map before it')),
        our_drops=_drop_others(_OURS),
        shapes={f'{prefix}pos_embed': (1, 197, 1024),
                f'{prefix}patch_embed.proj.weight': (1024, 3, 16, 16)})


def _port_of_lite0(names: list[str], prefix: str) -> KeyTable:
    begin = f'^{re.escape(prefix)}'
    return KeyTable(
        'EfficientNet-Lite0', tuple(row.prefixed(prefix, _OURS) for row in efficientnet_lite0_rows()),
        drops=(*_drop_others(prefix), Drop(f'{begin}(_conv_head|_bn1|_fc)\\.', 'classifier')),
        our_drops=_drop_others(_OURS), shapes={f'{prefix}_conv_stem.weight': (32, 3, 3, 3)})


_LAYOUTS: dict[str, tuple[_Layout, ...]] = dict(
    swin=(_Layout('layers.0.blocks.0.norm1.weight', _original_swin),
          _Layout('stages.0.blocks.0.norm1.weight', _mmdet_swin)),
    eva02=(_Layout('blocks.0.attn.q_proj.weight', _original_eva02), ),
    **{'efficientnet-lite0': (_Layout('_conv_stem.weight', _port_of_lite0), )})
ARCHS = tuple(_LAYOUTS)
