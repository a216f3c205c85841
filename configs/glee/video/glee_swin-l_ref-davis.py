# Segmenting described objects on Ref-DAVIS 2017 with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/ref_davis.py', '../_base_/default_runtime.py']

model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
