# Open-vocabulary video instance segmentation on LV-VIS with GLEE-Pro.
_base_ = ['../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/lvvis.py', '../_base_/default_runtime.py']

test_dataloader = dict(dataset=dict(pipeline=_base_.frames_square.names))
