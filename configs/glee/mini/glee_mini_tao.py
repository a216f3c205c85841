# Tracking boxes of any category on MiniWorld's TAO.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/tao.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=_base_.tao_tracker)
# MiniWorld has names of its own.
test_dataloader = dict(
    dataset=dict(
        data_root='data/miniworld/TAO/', classes=None, vocabulary=None, pipeline=_base_.frames_mini.names))
