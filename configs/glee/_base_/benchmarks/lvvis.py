# Open-vocabulary video instance segmentation on LV-VIS.
_base_ = ['../datasets/vis_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.lvvis_val)
test_evaluator = _base_.lvvis_metric
test_cfg = dict()
