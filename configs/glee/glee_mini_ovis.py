# Video instance segmentation under occlusion on MiniWorld's OVIS file.
_base_ = ['./_base_/glee_mini_video.py']

outfile = 'work_dirs/glee_mini_ovis/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.ovis_val)
test_evaluator = _base_.ovis_metric
test_cfg = dict()
