# Segmenting given objects on DAVIS 2017.
_base_ = ['../datasets/vos_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.davis_val)
test_evaluator = _base_.davis_metric
test_cfg = dict()
