# Segmenting given objects on MOSE with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/mose.py', '../_base_/default_runtime.py']

model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
