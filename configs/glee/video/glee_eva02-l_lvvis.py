# Open-vocabulary video instance segmentation on LV-VIS with GLEE-Pro.
_base_ = [
    '../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/lvvis.py', '../_base_/datasets/lsj_1536.py'
]

test_resize = dict(_delete_=True, **_base_.lsj_test_resize)
