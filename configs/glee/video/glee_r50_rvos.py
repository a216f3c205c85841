# GLEE-Lite on the sentences of Ref-YouTube-VOS: fine-tuning and test.
_base_ = [
    '../_base_/models/glee_r50_video.py', '../_base_/fine_tunes/rvos.py', '../_base_/benchmarks/rvos.py',
    '../_base_/default_runtime.py'
]

model = dict(tracker=dict(_delete_=True, **_base_.rvos_tracker))
