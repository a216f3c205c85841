# Open-vocabulary video instance segmentation on MiniWorld's LV-VIS.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/lvvis.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
test_dataloader = dict(dataset=dict(data_root='data/miniworld/lvvis/', pipeline=_base_.frames_mini.names))
