# GLEE-Lite trained and tested on COCO alone: where an own data set begins. 8 processes of 2 images, about 12 epochs;
# the schedule is ours and has not been run.
_base_ = ['../glee_r50_stage2.py']

ratios = dict(_delete_=True, coco=1.0)
train_dataloader = dict(
    sampler=dict(ratios=[1.0], repeat_thrs=[0.0]), dataset=dict(datasets=[_base_.coco_train]))
auto_scale_lr = dict(base_batch_size=16)
train_cfg = dict(max_iters=90000, val_interval=10000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', by_epoch=False, milestones=[75000], gamma=0.1)
]
