# Referring comprehension and segmentation on RefCOCOg (umd): val, test.
_base_ = ['../datasets/image_test.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='MixtureDataset', datasets=_base_.refcocog_all))
test_evaluator = dict(type='ReferringMetric', prefix='refcocog', per_source=True)
test_cfg = dict()
