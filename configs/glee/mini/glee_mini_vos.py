# Segmenting given objects on MiniWorld's DAVIS 2017.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/vos.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
