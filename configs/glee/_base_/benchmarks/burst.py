# Tracking masks of any category on BURST.
_base_ = ['../datasets/track_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.burst_val)
test_evaluator = _base_.burst_metric
test_cfg = dict()
