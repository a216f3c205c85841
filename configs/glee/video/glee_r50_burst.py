# Tracking masks of any category on BURST with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/burst.py', '../_base_/default_runtime.py']

model = dict(tracker=_base_.tao_tracker)
