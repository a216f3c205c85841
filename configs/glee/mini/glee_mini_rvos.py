# Segmenting described objects on MiniWorld's Ref-YouTube-VOS.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/rvos.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
test_dataloader = dict(dataset=dict(data_root='data/miniworld/ref-youtube-vos/', pipeline=_base_.frames_mini.sentences))
