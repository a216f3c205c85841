# Tracking masks of any category on MiniWorld's BURST.
_base_ = ['../_base_/models/glee_mini_video.py', '../_base_/benchmarks/burst.py']

data_root = 'data/miniworld/'
test_resize = dict(scale=(10000, 160))
model = dict(tracker=_base_.tao_tracker)
# Category ids of MiniWorld are its own: some of BURST's distractors have the same numbers.
test_evaluator = dict(distractors=())
