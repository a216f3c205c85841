# Tracking boxes of any category on MiniWorld's TAO.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/tao.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=_base_.tao_tracker)
test_dataloader = dict(dataset=dict(data_root='data/miniworld/TAO/', pipeline=_base_.frames_mini.names))
