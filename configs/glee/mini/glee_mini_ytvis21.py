# Video instance segmentation on MiniWorld's YouTube-VIS 2021.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/ytvis21.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
test_dataloader = dict(dataset=dict(data_root='data/miniworld/ytvis_2021/', pipeline=_base_.frames_mini.names))
