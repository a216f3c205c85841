# Segmenting objects of MiniWorld's ReasonVOS, by looks and motions.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/reason_vos.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/ReasonVOS/', pipeline=_base_.frames_mini.sentences))
