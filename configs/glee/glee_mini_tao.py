# Tracking boxes of any category on MiniWorld's TAO.
_base_ = [
    './_base_/models/glee_mini_video.py', './_base_/datasets/track_test.py', './_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
outfile = 'work_dirs/glee_mini_tao/results'
model = dict(tracker=_base_.tao_tracker)
test_dataloader = dict(**_base_.video_test, dataset=_base_.tao_val)
test_evaluator = _base_.tao_metric
test_cfg = dict()
