# Tracking boxes of road users on BDD100K.
_base_ = ['../datasets/track_test.py']

test_dataloader = dict(**_base_.video_test, dataset=_base_.bdd_box_val)
test_evaluator = _base_.bdd_box_metric
test_cfg = dict()
