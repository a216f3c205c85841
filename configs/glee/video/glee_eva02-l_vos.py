# Segmenting given objects on DAVIS 2017 with GLEE-Pro.
_base_ = [
    '../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/vos.py', '../_base_/datasets/lsj_1536.py'
]

model = dict(tracker=dict(_delete_=True, **_base_.vos_tracker))
test_resize = dict(_delete_=True, **_base_.lsj_test_resize)
