# Video instance segmentation under occlusion on MiniWorld's OVIS.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/ovis.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
