# Detection in the wild, 35 sets: box AP of each and their mean.
_base_ = ['../datasets/odinw.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='MixtureDataset', datasets=_base_.odinw35))
test_evaluator = _base_.odinw35_metric
test_cfg = dict()
