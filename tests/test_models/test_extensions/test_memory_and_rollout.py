"""The memory of the round before, and training on simulated rounds."""

import pytest
import torch
from mini_model import build, images
from mini_prompts import prompted_config, prompted_sample, raw_outputs
from mmdet.registry import TASK_UTILS
from mmengine.structures import InstanceData

from projects.glee.structures.prompted_objects import gather_prompts


@pytest.fixture(scope='module')
def glee():
    memory = dict(type='MemoryPromptEncoder', num_tokens=5, num_heads=4)
    return build(prompted_config(negative_tokens=True, memory=memory))


def test_a_zero_gate_changes_nothing_and_another_does(glee):
    glee.eval()
    memory = glee.panoptic_head.prompter.memory
    without, with_previous = raw_outputs(glee, prompted_sample(False)), raw_outputs(glee, prompted_sample())
    assert all(torch.equal(without[key], with_previous[key]) for key in without)
    memory.gate.data.fill_(0.7)
    remembered, other = raw_outputs(glee, prompted_sample()), raw_outputs(glee, prompted_sample(seed=3))
    nothing = raw_outputs(glee, prompted_sample(False))
    memory.gate.data.zero_()
    assert torch.equal(nothing['pred_masks'], without['pred_masks'])
    assert not torch.allclose(remembered['pred_scores'], without['pred_scores'])
    assert not torch.allclose(remembered['pred_scores'], other['pred_scores'])


def test_tokens_see_exactly_the_previous_mask(glee):
    memory = glee.panoptic_head.prompter.memory
    previous = torch.full((2, 8, 12), -5.)
    previous[0, 2:6, 3:9] = 5
    blocked = memory.blocked_pixels(previous, (8, 12))
    assert torch.equal(blocked[0].view(8, 12), previous[0].sigmoid() < 0.5)
    assert not blocked[1].any()  # an empty mask blocks nothing
    memory.train()
    levels = [torch.randn(2, 64, 8, 12, generator=torch.Generator().manual_seed(i)) for i in range(4)]
    memory.gate.data.fill_(1.)
    tokens = memory(levels, list(previous)).levels[0]
    changed = [level.clone() for level in levels]
    changed[0][:, :, 0, 0] += 9  # outside the first mask, inside nothing of the second's
    again = memory(changed, list(previous)).levels[0]
    memory.gate.data.zero_()
    torch.testing.assert_close(again[0], tokens[0], atol=1e-6, rtol=0)
    assert not torch.allclose(again[1], tokens[1])


def test_rows_with_and_without_memory_in_one_batch(glee):
    glee.eval()
    memory = glee.panoptic_head.prompter.memory
    memory.gate.data.fill_(0.7)
    alone = [raw_outputs(glee, prompted_sample(prev)) for prev in (True, False)]
    sample = prompted_sample()
    sample.prompts = InstanceData(masks=sample.prompts.masks.repeat(2, 1, 1), kinds=['point'] * 2,
                                  prev_logits=[sample.prompts.prev_logits[0], None])
    both = raw_outputs(glee, sample)
    memory.gate.data.zero_()
    for row in range(2):
        torch.testing.assert_close(both['pred_scores'][row], alone[row]['pred_scores'][0], atol=1e-5, rtol=0)


def rollout(rounds):
    player = TASK_UTILS.build(dict(type='InteractiveRollout', max_rounds=rounds))
    return player


def test_no_round_is_plain_prompt_training(glee):
    glee.eval()
    objects = gather_prompts([prompted_sample()])
    feats = glee.extract_feat(images(1))
    same = rollout(0)(glee, images(1), feats, [prompted_sample()], objects)
    assert torch.equal(same.masks, objects.masks) and torch.equal(same.neg_masks, objects.neg_masks)
    assert same.prev_logits is objects.prev_logits


def test_rounds_click_on_mistakes(glee, monkeypatch):
    glee.eval()
    sample = prompted_sample(False)
    objects, feats = gather_prompts([sample]), glee.extract_feat(images(1))
    truth = torch.from_numpy(sample.gt_instances.masks.masks[0]).bool()
    monkeypatch.setattr(torch, 'randint', lambda *args, **kwargs: torch.tensor(2))
    played = rollout(3)(glee, images(1), feats, [sample], objects)
    monkeypatch.undo()
    new_positive, negative = played.masks[0] & ~objects.masks[0], played.neg_masks[0]
    assert new_positive.any() or negative.any()
    assert not played.prev_logits[0].requires_grad and played.prev_logits[0].shape == (16, 24)
    # a positive click lies on the object, a negative one off it: their rectangles are 2 x 4 px
    for pixels, inside in ((new_positive, truth), (negative, ~truth)):
        if pixels.any():
            assert (pixels & inside).any()
    again = objects.masks[0] & ~played.masks[0]
    assert not again.any()


def test_gradient_reaches_negatives_and_gate(glee):
    glee.train()
    glee.rollout = rollout(3)
    glee.zero_grad()
    for seed in range(4):
        torch.manual_seed(seed)
        total, _ = glee.parse_losses(glee(images(2), [prompted_sample(False), prompted_sample(False, 1)], mode='loss'))
        total.backward()
    glee.rollout = None
    prompter = glee.panoptic_head.prompter
    assert prompter.sign_embed.weight.grad[1].any() and prompter.memory.gate.grad.abs() > 0
    assert all(parameter.grad is not None for parameter in glee.parameters())
