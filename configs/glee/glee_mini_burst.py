# Tracking any of MiniWorld's 240 names with masks, on its BURST file.
_base_ = ['./_base_/glee_mini_video.py']

outfile = 'work_dirs/glee_mini_burst/results'
model = dict(tracker=_base_.tao_tracker)
test_dataloader = dict(**_base_.video_test, dataset=_base_.burst_val)
test_evaluator = _base_.burst_metric
test_cfg = dict()
