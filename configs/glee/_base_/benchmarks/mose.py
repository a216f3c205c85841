# Segmenting given objects on MOSE.
_base_ = ['../datasets/vos_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.mose_val)
test_evaluator = _base_.mose_metric
test_cfg = dict()
