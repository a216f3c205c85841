# Segmenting objects that ReasonVOS's sentences describe or leave to be reasoned about.
_base_ = ['../datasets/rvos_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.reason_vos_val)
test_evaluator = _base_.reason_vos_metric
test_cfg = dict()
