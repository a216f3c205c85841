# Stage 1 of GLEE-Pro: detection pre-training with a frozen text encoder.
_base_ = [
    './_base_/models/glee_eva02-l.py', './_base_/stages/stage1.py', './_base_/datasets/lsj_1536.py',
    './_base_/schedules/layer_decay_500k.py'
]

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
crop_augment = dict(_delete_=True, **_base_.lsj_crop_augment)
resize_augment = dict(_delete_=True, **_base_.lsj_resize_augment)
test_resize = dict(_delete_=True, **_base_.lsj_test_resize)
optim_wrapper = dict(_delete_=True, **_base_.layer_decay_optim_wrapper)
param_scheduler = _base_.layer_decay_param_scheduler
