# GLEE-Plus on the sentences of ReasonVOS.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/reason_vos.py', '../_base_/default_runtime.py']

model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
