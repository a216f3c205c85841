# Segmenting given objects on DAVIS 2017.
_base_ = [
    './_base_/models/glee_r50_video.py', './_base_/datasets/vos_test.py', './_base_/default_runtime.py'
]

outfile = 'work_dirs/glee_r50_vos/masks'
model = dict(tracker=dict(_delete_=True, type='PromptTracker', memory='first'))
test_dataloader = dict(**_base_.video_test, dataset=_base_.davis_val)
test_evaluator = _base_.davis_metric
test_cfg = dict()
