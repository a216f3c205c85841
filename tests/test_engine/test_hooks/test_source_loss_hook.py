"""Losses are told apart by the source of their batch."""
from types import SimpleNamespace

import torch
from mmdet.structures import DetDataSample, TrackDataSample

from projects.glee.engine.hooks import SourceLossHook
from projects.glee.evaluation.analysis.training_curves import groups_of_losses


def sample(source=None):
    return DetDataSample(metainfo={} if source is None else dict(source=source))


def test_means_of_each_source_by_hand():
    written = []
    runner = SimpleNamespace(iter=0, visualizer=SimpleNamespace(
        add_scalars=lambda scalars, step: written.append((step, dict(scalars)))))
    clip = TrackDataSample()
    clip.video_data_samples = [sample('ovis'), sample('ovis')]
    batches = [([sample('coco')], 1.), ([sample('coco')] * 2, 3.), ([clip], 10.), ([sample()], 50.),
               ([sample('lvis'), sample('coco')], 7.), ([sample('coco')], 4.)]
    hook = SourceLossHook(interval=3)
    for runner.iter, (samples, value) in enumerate(batches):
        hook.after_train_iter(runner, 0, dict(data_samples=samples), {
            'loss': torch.tensor(value), 'loss_cls': torch.tensor(value / 2), 'd0.loss_cls': torch.tensor(9.)})
    assert written == [
        (3, {'coco/loss': 2., 'coco/loss_cls': 1., 'ovis/loss': 10., 'ovis/loss_cls': 5.}),
        (6, {'coco+lvis/loss': 7., 'coco+lvis/loss_cls': 3.5, 'coco/loss': 4., 'coco/loss_cls': 2.})]
    assert groups_of_losses(list(written[0][1])) == {
        'coco': ['coco/loss', 'coco/loss_cls'], 'ovis': ['ovis/loss', 'ovis/loss_cls']}
    hook.after_train_iter(runner, 0, dict(value=torch.ones(2)), dict(loss=torch.tensor(1.)))
    hook.after_train_iter(runner, 0, None, None)
    assert len(written) == 2
