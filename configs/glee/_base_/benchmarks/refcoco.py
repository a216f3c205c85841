# Referring comprehension and segmentation on RefCOCO: val, testA, testB.
_base_ = ['../datasets/image_test.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='MixtureDataset', datasets=_base_.refcoco_all))
test_evaluator = dict(type='ReferringMetric', prefix='refcoco', per_source=True)
test_cfg = dict()
