# Segmenting described objects on Ref-DAVIS 2017.
_base_ = ['../datasets/rvos_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.ref_davis_val)
test_evaluator = _base_.ref_davis_metric
test_cfg = dict()
