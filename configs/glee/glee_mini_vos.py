# Segmenting given objects on MiniWorld's DAVIS 2017.
_base_ = [
    './_base_/models/glee_mini_video.py', './_base_/datasets/vos_test.py', './_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
outfile = 'work_dirs/glee_mini_vos/masks'
model = dict(tracker=dict(_delete_=True, type='PromptTracker', memory='first'))
test_dataloader = dict(**_base_.video_test, dataset=_base_.davis_val)
test_evaluator = _base_.davis_metric
test_cfg = dict()
