# Tracking masks of any category on BURST with GLEE-Pro.
_base_ = ['../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/burst.py', '../_base_/default_runtime.py']

model = dict(tracker=_base_.tao_tracker)
test_dataloader = dict(dataset=dict(pipeline=_base_.frames_square.names))
