# Segmenting given objects on DAVIS 2017 with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/vos.py']

model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
