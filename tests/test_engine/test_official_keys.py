"""Released keys to ours: complete, strict, and named when they do not fit."""
import pytest
import torch

from projects.glee.engine.official_keys import convert_state_dict, unwrap_official


def test_every_official_key_is_converted_or_explained(official_lite):
    converted, dropped = convert_state_dict(official_lite, 'lite')
    assert len(converted) + len(dropped) == len(official_lite)
    assert len(set(map(id, converted.values()))) == len(converted)
    aliases = [key for key, reason in dropped.items() if 'alias' in reason]
    for key in aliases:  # an alias holds the very values of the entry that is kept
        source = 'panoptic_head.decoder.norm.' if 'norm' in key else 'panoptic_head.box_head.'
        suffix = key.split('norm.')[-1] if 'norm' in key else key[key.index('layers.', key.index('bbox_embed')):]
        assert torch.equal(official_lite[key], converted[source + suffix])


def test_both_layouts_of_released_files():
    weight = torch.ones(1)
    bare = dict(lang_projection=weight)
    wrapped = dict(model={'glee.lang_projection': weight, 'criterion.empty_weight': weight})
    assert unwrap_official(bare).keys() == {'lang_projection'}
    assert set(convert_state_dict(unwrap_official(wrapped), 'lite')[1]) == {'criterion.empty_weight'}


def test_unknown_keys_and_sizes_are_named():
    with pytest.raises(ValueError, match='backbone.blocks.0.attn'):
        convert_state_dict({'backbone.blocks.0.attn': torch.ones(1)}, 'lite')
    with pytest.raises(ValueError, match='size'):
        convert_state_dict({}, 'huge')
