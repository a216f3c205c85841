# Video instance segmentation under occlusion on MiniWorld's OVIS.
_base_ = [
    './_base_/models/glee_mini_video.py', './_base_/datasets/vis_test.py', './_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
outfile = 'work_dirs/glee_mini_ovis/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.ovis_val)
test_evaluator = _base_.ovis_metric
test_cfg = dict()
