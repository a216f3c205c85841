# Tracking boxes of any category on MiniWorld's TAO.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/tao.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
model = dict(tracker=_base_.tao_tracker)
