# Tracking boxes of any category on TAO with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/tao.py', '../_base_/default_runtime.py']

model = dict(tracker=_base_.tao_tracker)
