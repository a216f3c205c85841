# Segmenting given objects on YouTube-VOS 2018.
_base_ = ['../datasets/vos_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.ytvos_val)
test_evaluator = _base_.ytvos_metric
test_cfg = dict()
