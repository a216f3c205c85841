# Video instance segmentation on MiniWorld's YouTube-VIS 2019.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/ytvis.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
