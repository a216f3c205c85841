# Video instance segmentation on YouTube-VIS 2019 with GLEE-Pro.
_base_ = [
    '../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/ytvis.py', '../_base_/datasets/lsj_1536.py'
]

test_resize = dict(_delete_=True, **_base_.lsj_test_resize)
