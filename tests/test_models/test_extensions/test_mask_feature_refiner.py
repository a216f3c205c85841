"""Clicks and the previous mask that change single pixels of the mask features."""
import copy

import pytest
import torch
import torch.nn.functional as F
from mini_model import build, images
from mini_prompts import prompted_config, prompted_sample, raw_outputs

from projects.glee.models.extensions.interactive import MaskFeatureRefiner


@pytest.fixture(scope='module')
def glee():
    return build(prompted_config(negative_tokens=True, dense=dict(type='MaskFeatureRefiner', hidden_dims=16)))


def random_weights(dense, seed=0):
    """The last convolution, as if it were trained; the weights before."""
    untrained = copy.deepcopy(dense.change.state_dict())
    torch.nn.init.normal_(dense.change.weight, std=0.5, generator=torch.Generator().manual_seed(seed))
    return untrained


def test_untrained_it_changes_no_bit_and_trained_only_rows_with_a_past(glee):
    glee.eval()
    dense = glee.panoptic_head.prompter.dense
    without, with_previous = raw_outputs(glee, prompted_sample(False)), raw_outputs(glee, prompted_sample())
    assert all(torch.equal(without[key], with_previous[key]) for key in without)
    untrained = random_weights(dense)
    nothing, something = raw_outputs(glee, prompted_sample(False)), raw_outputs(glee, prompted_sample())
    dense.change.load_state_dict(untrained)
    assert torch.equal(nothing['pred_masks'], without['pred_masks'])
    assert not torch.allclose(something['pred_masks'], without['pred_masks'])
    # it acts on masks alone: the queries do not read mask features
    assert torch.equal(something['pred_scores'], without['pred_scores'])


def test_it_reads_both_signs_and_the_mask_where_they_are():
    """Seven pixels around what changed, and no farther; each of the three maps counts."""
    torch.manual_seed(0)
    dense = MaskFeatureRefiner(8, 4)
    random_weights(dense)
    features = torch.randn(1, 8, 20, 24)
    blank = torch.zeros(1, 80, 96, dtype=torch.bool)
    marked = blank.clone()
    marked[0, 40:44, 48:52] = True  # exactly the pixel (10, 12) of the features
    level, raised = torch.zeros(20, 24), torch.zeros(20, 24)
    raised[10, 12] = 4.
    base = dense(features, blank, blank, [level])
    seen = []
    for arguments in ((marked, blank, [level]), (blank, marked, [level]), (blank, blank, [raised])):
        changed = (dense(features, *arguments) - base).abs().amax(1)[0] > 1e-6
        rows, columns = changed.nonzero(as_tuple=True)
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == (7, 13, 9, 15)
        seen.append(dense(features, *arguments))
    assert not torch.allclose(seen[0], seen[1])


def test_it_equals_three_convolutions_by_hand():
    torch.manual_seed(1)
    dense = MaskFeatureRefiner(8, 4)
    random_weights(dense, 1)
    features, masks = torch.randn(2, 8, 5, 6), torch.rand(2, 2, 20, 24) > 0.7
    previous = torch.randn(5, 6)
    found = dense(features, masks[:, 0], masks[:, 1], [previous, None])
    share = masks[:1].float().reshape(1, 2, 5, 4, 6, 4).mean((3, 5))
    maps = torch.cat([share, previous.sigmoid()[None, None]], 1)
    hidden = F.gelu(F.conv2d(features[:1], dense.pixels.weight, dense.pixels.bias)
                    + F.conv2d(maps, dense.maps.weight, padding=1))
    change = dense.change(F.gelu(dense.mix(hidden)))
    torch.testing.assert_close(found[:1], features[:1] + change)
    assert torch.equal(found[1], features[1])
    assert dense(features, masks[:, 0], masks[:, 1], [None, None]) is features


def test_it_learns_to_take_back_what_was_clicked_away():
    """Two objects share a colour: only the click tells which pixels are not wanted. After it they are gone."""
    torch.manual_seed(0)
    dense = MaskFeatureRefiner(8, 16)
    query = torch.randn(8, generator=torch.Generator().manual_seed(3))
    optimizer = torch.optim.Adam(dense.parameters(), lr=5e-3)

    def scene(seed):
        draw = torch.Generator().manual_seed(seed)
        both = torch.zeros(4, 16, 16, dtype=torch.bool)
        wanted, click = both.clone(), torch.zeros(4, 64, 64, dtype=torch.bool)
        for row in range(4):
            y, x = (torch.randint(1, 11, (2, ), generator=draw)).tolist()
            wanted[row, y:y + 4, x:x + 2], both[row, y:y + 4, x:x + 4] = True, True
            click[row, 4 * y + 4:4 * y + 12, 4 * x + 10:4 * x + 14] = True
        features = torch.where(both[:, None], query[:, None, None], -query[:, None, None]) / query.norm() * 2
        return features, wanted, click

    def logits(features, click):
        before = torch.einsum('d,rdhw->rhw', query, features)
        return before, torch.einsum('d,rdhw->rhw', query, dense(features, torch.zeros_like(click), click, list(before)))

    for step in range(150):
        features, wanted, click = scene(step)
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(logits(features, click)[1], wanted.float()).backward()
        optimizer.step()
    features, wanted, click = scene(1000)
    before, after = logits(features, click)
    ious = [((mask > 0) & wanted).sum() / ((mask > 0) | wanted).sum() for mask in (before, after)]
    assert ious[0] == 0.5 and ious[1] > 0.95


def test_gradient_reaches_it_from_the_graded_round(glee):
    glee.train()
    glee.zero_grad()
    samples = [prompted_sample(), prompted_sample(False, 1)]
    total, _ = glee.parse_losses(glee(images(2), samples, mode='loss'))
    total.backward()
    assert glee.panoptic_head.prompter.dense.change.weight.grad.abs().sum() > 0
