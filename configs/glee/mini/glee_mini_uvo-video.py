# Video instance segmentation of any object on MiniWorld's UVO videos.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/uvo_video.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
test_dataloader = dict(dataset=dict(data_root='data/miniworld/UVO/', pipeline=_base_.frames_mini.names))
