# Tracking boxes of any category on TAO.
_base_ = ['../datasets/track_test.py', '../default_runtime.py']

test_resize = dict(scale=(10000, 640))
outfile = '${work_dir}/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.tao_val)
test_evaluator = _base_.tao_metric
test_cfg = dict()
