"""The smallest thing a runner can train: one weight that should become a bit more than two."""
import itertools

import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel

from projects.glee.engine.runner.run_config import build_runner

CONFIG = """
default_scope = 'mmdet'
data_root = 'toy_data/'
model = dict(type='ToyModel')
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=False),
    dataset=dict(type='ToyDataset', data_root='toy_data/', ann_file='list.json'))
test_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ToyDataset', data_root='toy_data/', test_mode=True))
test_evaluator = dict(type='ToyMetric')
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4)
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9),
    clip_grad=dict(max_norm=100.0))
default_hooks = dict(
    checkpoint=dict(type='DurableCheckpointHook', interval=2),
    logger=dict(type='LoggerHook', interval=1))
custom_hooks = [dict(type='NaNLossHook'), dict(type='StopSignalHook')]
log_processor = dict(by_epoch=False)
randomness = dict(seed=0)
"""
RUNS = itertools.count()


@DATASETS.register_module()
class ToyDataset(BaseDataset):
    """Six numbers."""

    METAINFO = dict(classes=('number', ), palette=[(1, 2, 3)])

    def load_data_list(self):
        return [dict(value=float(i)) for i in range(6)]


@MODELS.register_module()
class ToyModel(BaseModel):
    """Regresses 2 + 0.1 x the numbers; ``broken_at`` makes something go wrong in that iteration.

    ``kind`` 'loss' gives a loss that is no number, 'grad' only a gradient that is none.
    """

    def __init__(self, broken_at=None, kind='loss'):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.bias = torch.nn.Parameter(torch.zeros(3))
        self.calls, self.broken_at, self.kind = 0, broken_at, kind

    def forward(self, value, mode='tensor', **kwargs):
        if mode != 'loss':
            return [self.weight.detach()]
        self.calls += 1
        error = self.weight - 2 - 0.1 * torch.as_tensor(value)
        losses = dict(loss_weight=error.square().mean(), loss_bias=self.bias.square().sum())
        if self.calls == self.broken_at:
            broken = losses['loss_bias'] * float('nan')
            losses['loss_bias'] = (self.bias * 0).sum().sqrt() if self.kind == 'grad' else broken
        return losses


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Reports the weight."""

    default_prefix = 'toy'

    def process(self, data_batch, data_samples):
        self.results += [float(sample) for sample in data_samples]

    def compute_metrics(self, results):
        return dict(weight=results[0])


class Payload:
    """Pickled, an instruction to create the file ``path`` when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


def make_runner(folder, **changes):
    """A runner of the toy config that works in ``folder``, with ``changes`` merged."""
    cfg = Config.fromstring(CONFIG.replace('toy_data/', ''), '.py')
    name = f'{folder.name}_{next(RUNS)}'  # runs of one name and one second would share their visualizer
    cfg.merge_from_dict(dict(work_dir=str(folder), experiment_name=name, **changes))
    cfg.train_dataloader.dataset.ann_file = ''
    return build_runner(cfg)
