# Video instance segmentation under occlusion on OVIS.
_base_ = [
    './_base_/models/glee_r50_video.py', './_base_/datasets/vis_test.py', './_base_/default_runtime.py'
]

test_resize = dict(scale=(1280, 720))
outfile = 'work_dirs/glee_r50_ovis/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.ovis_val)
test_evaluator = _base_.ovis_metric
test_cfg = dict()
