"""The object contrastive loss against enumerated pairs."""
import math

import pytest
import torch

from projects.glee.llm.video.contrastive import ObjectContrastiveLoss, SaidObject


def said(video, expression, frame, *objects):
    return SaidObject('toy', video, expression, frame, frozenset(objects))


def test_pairs_of_two_videos():
    bank = [said('a', 0, 0, 1), said('a', 1, 0, 1), said('a', 1, 1, 1), said('a', 2, 0, 2), said('a', 0, 1, 1),
            said('b', 0, 0, 1), said('a', 3, 0, 1, 2)]
    for exact, wanted in ((False, [3, 5, 6]), (True, [2, 3, 5, 6])):
        loss = ObjectContrastiveLoss(glus_exact=exact)
        loss.kept.extend((source, torch.zeros(2)) for source in bank)
        assert loss.candidates(bank[0]) == ([1], wanted)


def test_value_gradient_and_queue():
    loss = ObjectContrastiveLoss(size=4, negatives=3, tau=0.5, weight=0.1, min_negatives=1)
    z = torch.tensor([1., 0.], requires_grad=True)
    positive, negative = torch.tensor([1., 1.]), torch.tensor([0., -2.], requires_grad=True)
    embeds = torch.stack([z, positive, negative])
    value = loss(embeds, [said('a', 0, 0, 1), said('a', 1, 0, 1), said('b', 0, 0, 7)])

    def one(own, other, against):
        own, against = math.exp(own / 0.5), [math.exp(cosine / 0.5) for cosine in against]
        return -math.log(own / (own + sum(against)))

    root = 2**-0.5
    # the second is positive to the first and the other way round; three draws of the one negative
    assert float(value) == pytest.approx(0.1 * (one(root, 0, [0.] * 3) + one(root, 0, [-root] * 3)) / 2, abs=1e-6)
    value.backward()
    assert z.grad.abs().sum() > 0 and (negative.grad is None or negative.grad.abs().sum() == 0)
    loss(embeds[:2].detach(), [said('c', 0, 0, 1), said('c', 1, 0, 1)])
    assert len(loss.kept) == 4 and [source.video for source, _ in loss.kept] == ['a', 'b', 'c', 'c']


def test_what_is_left_out():
    alone = ObjectContrastiveLoss(min_negatives=1)
    embeds = torch.randn(2, 4, requires_grad=True)
    assert float(alone(embeds, [said('a', 0, 0, 1), said('b', 0, 0, 1)])) == 0  # nothing positive
    few = ObjectContrastiveLoss(negatives=2, min_negatives=2)
    pair = [said('a', 0, 0, 1), said('a', 1, 0, 1)]
    assert float(few(embeds, pair)) == 0  # nothing negative
    assert float(few(embeds, [said('b', 0, 0, 1), said('b', 1, 0, 1)])) > 0  # the two of before
