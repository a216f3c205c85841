# Detection on Objects365 v2 val.
_base_ = ['../datasets/image_test.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.objects365_val)
test_evaluator = _base_.objects365_metric
test_cfg = dict()
