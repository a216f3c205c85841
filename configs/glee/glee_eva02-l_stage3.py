# Stage 3 of GLEE-Pro: scaling up.
_base_ = [
    './_base_/models/glee_eva02-l.py', './_base_/stages/stage3.py', './_base_/datasets/lsj_1536.py',
    './_base_/schedules/layer_decay_500k.py'
]

crop_augment = dict(_delete_=True, **_base_.lsj_crop_augment)
resize_augment = dict(_delete_=True, **_base_.lsj_resize_augment)
test_resize = dict(_delete_=True, **_base_.lsj_test_resize)
optim_wrapper = dict(_delete_=True, **_base_.layer_decay_optim_wrapper)
param_scheduler = _base_.layer_decay_param_scheduler
