# Detection in the wild, 13 sets: box AP of each and their mean.
_base_ = ['../datasets/odinw.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='MixtureDataset', datasets=_base_.odinw13))
test_evaluator = _base_.odinw13_metric
test_cfg = dict()
