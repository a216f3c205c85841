# Open-vocabulary video instance segmentation on LV-VIS.
_base_ = [
    './_base_/models/glee_r50_video.py', './_base_/datasets/vis_test.py', './_base_/default_runtime.py'
]

outfile = 'work_dirs/glee_r50_lvvis/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.lvvis_val)
test_evaluator = _base_.lvvis_metric
test_cfg = dict()
