# Open-vocabulary video instance segmentation on MiniWorld's LV-VIS.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/lvvis.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
