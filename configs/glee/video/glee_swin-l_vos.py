# Segmenting given objects on DAVIS 2017 with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/vos.py']

model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
