# Tracking boxes of road users on BDD100K with GLEE-Pro.
_base_ = [
    '../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/bdd_mot.py', '../_base_/datasets/lsj_1536.py'
]

model = dict(tracker=_base_.bdd_tracker)
test_resize = dict(_delete_=True, **_base_.lsj_test_resize)
