# Segmenting described objects on Ref-YouTube-VOS.
_base_ = ['../datasets/rvos_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.ref_ytvos_val)
test_evaluator = _base_.ref_ytvos_metric
test_cfg = dict()
