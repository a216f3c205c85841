# Video instance segmentation on MiniWorld's YouTube-VIS 2019 file.
_base_ = ['./_base_/glee_mini_video.py']

outfile = 'work_dirs/glee_mini_ytvis/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.ytvis19_val)
test_evaluator = _base_.ytvis_metric
test_cfg = dict()
