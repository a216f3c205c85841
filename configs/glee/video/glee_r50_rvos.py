# Segmenting described objects on Ref-YouTube-VOS with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/rvos.py']

model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
