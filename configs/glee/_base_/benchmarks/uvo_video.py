# Video instance segmentation of any object on UVO videos.
_base_ = ['../datasets/vis_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.uvo_val)
test_evaluator = _base_.uvo_metric
test_cfg = dict()
