"""Prompts of data samples on their way to the model."""
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from projects.glee.models.prompts import ReferencePrompt
from projects.glee.structures import ObjectPrompts
from projects.glee.structures.prompted_objects import gather_prompts


def prompts(kind=ObjectPrompts, **fields):
    reference = ReferencePrompt(torch.zeros(4, 8), [torch.zeros(3, 8)] * 3, torch.zeros(8), torch.zeros(8), 'box')
    return kind(**dict(dict(
        masks=torch.ones(2, 6, 8, dtype=torch.bool), kinds=['box', 'mask'], texts=[None, 'a star'],
        refs=[reference, None], prev_logits=[None, torch.zeros(2, 2)]), **fields))


@pytest.mark.parametrize('slice_first', [False, True])
def test_everything_moves_with_the_sample(slice_first):
    sample = DetDataSample()
    sample.prompts = prompts()[:2] if slice_first else prompts()
    moved = sample.to('meta').prompts
    assert moved.masks.is_meta and moved.prev_logits[1].is_meta and moved.prev_logits[0] is None
    reference = moved.refs[0]
    assert reference.template_tokens.is_meta and reference.pooled.is_meta and reference.name.is_meta
    assert all(level.is_meta for level in reference.levels) and moved.refs[1] is None
    assert moved.texts == [None, 'a star'] and moved.kinds == ['box', 'mask']
    assert not sample.prompts.prev_logits[1].is_meta and not sample.cpu().prompts.masks.is_meta


class Traveller:
    """Something that says where it was sent."""

    def to(self, device):
        self.device = device
        return self


def test_what_stayed_behind_is_fetched():
    """A list in a plain ``InstanceData`` does not move; the objects are where their masks are."""
    sample = DetDataSample()
    sample.prompts = prompts(InstanceData, refs=[Traveller(), None], prev_logits=[None, Traveller()])
    objects = gather_prompts([sample])
    assert objects.refs[0].device == objects.prev_logits[1].device == sample.prompts.masks.device


@pytest.mark.parametrize('name, value', [('kinds', 'ab'), ('texts', 'ab')])
def test_a_string_is_no_list(name, value):
    sample = DetDataSample(metainfo=dict(img_path='a.jpg'))
    sample.prompts = prompts(**{name: value})
    with pytest.raises(ValueError, match=rf"prompts of a.jpg: {name}='ab' must be a list of 2"):
        gather_prompts([sample])
