# Segmenting given objects on MiniWorld's MOSE.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/mose.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/mose/val/', pipeline=_base_.frames_mini.objects))
