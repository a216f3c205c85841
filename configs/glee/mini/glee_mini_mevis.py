# Segmenting objects described by their motion on MiniWorld's MeViS valid_u.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/mevis.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/mevis/valid_u/', pipeline=_base_.frames_mini.sentences))
