"""Cells claimed by objects, against loops; the loss terms, by hand."""
import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData

from projects.glee.models.extensions.from_scratch import DenseSupervision
from projects.glee.models.layers.query_selection import EncodedMemory, generate_proposals
from projects.glee.models.losses import LossSwitch

SIZES = [(3, 4), (6, 8), (12, 16)]


def by_loops(boxes, sizes, num_cells, side):
    """Cell -> object, with everything spelled out."""
    owner, smallest = {}, {}
    for index, (cx, cy, w, h) in enumerate(boxes.tolist()):
        level = min(range(len(sizes)), key=lambda k: abs(math.log(math.sqrt(w * sizes[k][1] * h * sizes[k][0]) / side)))
        rows, columns = sizes[level]
        start = sum(a * b for a, b in sizes[:level])
        distance = {
            start + y * columns + x: (x + 0.5 - cx * columns)**2 + (y + 0.5 - cy * rows)**2
            for y in range(rows) for x in range(columns)}
        for cell in sorted(distance, key=distance.get)[:num_cells]:
            if w * h < smallest.get(cell, math.inf):
                owner[cell], smallest[cell] = index, w * h
    return owner


@pytest.mark.parametrize('num_cells', [1, 4, 20])
def test_cells_of_objects(num_cells):
    boxes = torch.rand(12, 4, generator=torch.Generator().manual_seed(0)) * 0.6 + 0.05
    cells, owners = DenseSupervision(num_cells=num_cells, side=2.).assign(boxes, SIZES)
    assert dict(zip(cells.tolist(), owners.tolist())) == by_loops(boxes, SIZES, num_cells, 2.)


def test_no_object_no_cell():
    cells, owners = DenseSupervision().assign(torch.zeros(0, 4), SIZES)
    assert len(cells) == len(owners) == 0


@pytest.fixture
def batch():
    torch.manual_seed(0)
    proposals, _ = generate_proposals(SIZES, torch.device('cpu'))
    memory = EncodedMemory(torch.randn(2, len(proposals), 4, requires_grad=True),
                           torch.randn(2, len(proposals), 5, requires_grad=True), proposals, SIZES)
    targets = [InstanceData(labels=torch.tensor([3, 1]), boxes=torch.tensor([[.3, .4, .2, .3], [.7, .6, .3, .2]])),
               InstanceData(labels=torch.zeros(0, dtype=torch.long), boxes=torch.zeros(0, 4))]
    return memory, targets


def sum_of_focal(logits, truth):
    probability = logits.sigmoid()
    return torch.where(truth == 1, -0.25 * (1 - probability)**2 * probability.log(),
                       -0.75 * probability**2 * (1 - probability).log()).sum()


def test_terms_by_hand(batch):
    memory, targets = batch
    module = DenseSupervision(num_cells=2, side=2., name_weight=3.)
    losses = module(memory, targets, LossSwitch(semantic=True, box=True, confidence=True),
                    lambda content: content * 0.1, lambda content: content[..., :1])
    cells, owners = module.assign(targets[0].boxes, SIZES)
    logits, labels = memory.logits[0, cells], targets[0].labels[owners]
    names = -sum(row.log_softmax(0)[label] for row, label in zip(logits, labels)) / 4 * 3
    truth = torch.zeros_like(memory.logits)
    truth[0, cells, labels] = 1
    focal = sum_of_focal(memory.logits, truth) * 4 / 4
    boxes = (memory.content[0, cells] * 0.1 + memory.proposals[cells]).sigmoid()
    torch.testing.assert_close(losses['loss_dense_name'], names)
    torch.testing.assert_close(losses['loss_dense_cls'], focal)
    confidence = sum_of_focal(memory.content[..., :1], truth.amax(2, keepdim=True)) * 4 / 4
    torch.testing.assert_close(losses['loss_dense_conf'], confidence)
    torch.testing.assert_close(losses['loss_dense_bbox'], 5 * F.l1_loss(
        boxes, targets[0].boxes[owners], reduction='sum') / 4)
    assert 0 < losses['loss_dense_giou'] < 2 * 2


@pytest.mark.parametrize('on', [('semantic', ), ('box', ), ('confidence', ), ('mask', 'tracking')])
def test_terms_switched_off_are_zero(batch, on):
    losses = DenseSupervision()(*batch, LossSwitch(**dict.fromkeys(on, True)), lambda content: content,
                                lambda content: content[..., :1])
    kind = dict(cls='semantic', name='semantic', conf='confidence', bbox='box', giou='box')
    assert set(losses) == {f'loss_dense_{term}' for term in kind}
    for term, supervision in kind.items():
        value = losses[f'loss_dense_{term}']
        assert value.requires_grad and (value != 0) == (supervision in on), term
