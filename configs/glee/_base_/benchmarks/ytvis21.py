# Video instance segmentation on YouTube-VIS 2021.
_base_ = ['../datasets/vis_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.ytvis21_val)
test_evaluator = _base_.ytvis_metric
test_cfg = dict()
