# Long-tailed detection and instance segmentation on LVIS val.
_base_ = ['../datasets/image_test.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.lvis_val)
test_evaluator = _base_.lvis_metric
test_cfg = dict()
