# Tracking boxes of road users on MiniWorld's BDD100K.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/bdd_mot.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
model = dict(tracker=_base_.bdd_tracker)
