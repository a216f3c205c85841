# Tracking masks of any category on BURST with GLEE-Pro.
_base_ = [
    '../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/burst.py', '../_base_/datasets/lsj_1536.py'
]

model = dict(tracker=_base_.tao_tracker)
test_resize = dict(_delete_=True, **_base_.lsj_test_resize)
