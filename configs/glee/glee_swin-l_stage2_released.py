# Stage 2 of GLEE-Plus as its released weights were trained: their ratios and their schedule, 32 images a batch.
_base_ = ['./_base_/models/glee_swin-l.py', './_base_/stages/stage2_released.py']

train_cfg = dict(max_iters=450000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', by_epoch=False, milestones=[360000, 420000], gamma=0.1)
]
auto_scale_lr = dict(base_batch_size=32)
