# Segmenting objects described by their motion on MeViS valid_u.
_base_ = ['../datasets/rvos_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.mevis_val)
test_evaluator = _base_.mevis_metric
test_cfg = dict()
