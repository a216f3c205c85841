# Open-vocabulary video instance segmentation on MiniWorld's LV-VIS file.
_base_ = ['./_base_/glee_mini_video.py']

outfile = 'work_dirs/glee_mini_lvvis/results'
test_dataloader = dict(**_base_.video_test, dataset=_base_.lvvis_val)
test_evaluator = _base_.lvvis_metric
test_cfg = dict()
