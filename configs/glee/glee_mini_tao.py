# Tracking any of MiniWorld's 240 names with boxes, on its TAO file.
_base_ = ['./_base_/glee_mini_video.py']

outfile = 'work_dirs/glee_mini_tao/results'
model = dict(tracker=_base_.tao_tracker)
test_dataloader = dict(**_base_.video_test, dataset=_base_.tao_val)
test_evaluator = _base_.tao_metric
test_cfg = dict()
