# Segmenting objects described by their motion on MeViS valid_u with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/mevis.py', '../_base_/default_runtime.py']

model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
