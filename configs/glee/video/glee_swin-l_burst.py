# Tracking masks of any category on BURST with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/burst.py', '../_base_/default_runtime.py']

model = dict(tracker=_base_.tao_tracker)
