# Tracking masks of any category on BURST.
_base_ = [
    './_base_/models/glee_r50_video.py', './_base_/datasets/track_test.py', './_base_/default_runtime.py'
]

test_resize = dict(scale=(1280, 720))
outfile = 'work_dirs/glee_r50_burst/results'
model = dict(tracker=_base_.tao_tracker)
test_dataloader = dict(**_base_.video_test, dataset=_base_.burst_val)
test_evaluator = _base_.burst_metric
test_cfg = dict()
