# Video instance segmentation on YouTube-VIS 2019.
_base_ = [
    './_base_/models/glee_r50_video.py', './_base_/datasets/vis_test.py', './_base_/default_runtime.py'
]

outfile = 'work_dirs/glee_r50_ytvis/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.ytvis19_val)
test_evaluator = _base_.ytvis_metric
test_cfg = dict()
