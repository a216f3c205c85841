# Tracking boxes of road users on BDD100K.
_base_ = ['../datasets/track_test.py', '../default_runtime.py']

test_resize = dict(scale=(1333, 800))
outfile = '${work_dir}/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.bdd_box_val)
test_evaluator = _base_.bdd_box_metric
test_cfg = dict()
