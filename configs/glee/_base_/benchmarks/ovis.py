# Video instance segmentation under occlusion on OVIS.
_base_ = ['../datasets/vis_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.ovis_val)
test_evaluator = _base_.ovis_metric
test_cfg = dict()
