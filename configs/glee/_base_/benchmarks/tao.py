# Tracking boxes of any category on TAO.
_base_ = ['../datasets/track_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.tao_val)
test_evaluator = _base_.tao_metric
test_cfg = dict()
