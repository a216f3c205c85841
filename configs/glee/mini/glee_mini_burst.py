# Tracking masks of any category on MiniWorld's BURST.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/burst.py', '../_base_/default_runtime.py']

data_root = 'data/miniworld/'
model = dict(tracker=_base_.tao_tracker)
test_dataloader = dict(dataset=dict(data_root='data/miniworld/', pipeline=_base_.frames_mini.names))
# Category ids of MiniWorld are its own: some of BURST's distractors have the same numbers.
test_evaluator = dict(distractors=())
