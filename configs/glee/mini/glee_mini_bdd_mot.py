# Tracking boxes of road users on MiniWorld's BDD100K.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/bdd_mot.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=_base_.bdd_tracker)
test_dataloader = dict(dataset=dict(data_root='data/miniworld/bdd100k/', pipeline=_base_.frames_mini.names))
