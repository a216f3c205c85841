# Segmenting objects of MiniWorld's ReVOS: looks refer, motions are to be reasoned about.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/revos.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/ReVOS/', pipeline=_base_.frames_mini.sentences))
