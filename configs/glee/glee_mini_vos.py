# Segmenting given objects through MiniWorld's DAVIS videos.
_base_ = ['./_base_/glee_mini_video.py']

outfile = 'work_dirs/glee_mini_vos/masks'
model = dict(tracker=dict(_delete_=True, type='PromptTracker', memory='first'))
test_dataloader = dict(**_base_.video_test, dataset=_base_.davis_val)
test_evaluator = _base_.davis_metric
test_cfg = dict()
