# Video instance segmentation under occlusion on MiniWorld's OVIS.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/ovis.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
test_dataloader = dict(dataset=dict(data_root='data/miniworld/ovis/', pipeline=_base_.frames_mini.names))
