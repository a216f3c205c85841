# What all fine-tunes on clips share: everything but the source, its sampling and the length of the training.
# Start from a stage 2 or 3 checkpoint (load_from).
_base_ = ['../datasets/video_train.py', '../schedules/adamw_500k.py']

# 8 clips a batch: 8 processes
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    sampler=dict(type='MixtureSampler', ratios=[1]),
    batch_sampler=dict(type='MixtureBatchSampler', batch_size=1),
    dataset=dict(type='MixtureDataset'))
auto_scale_lr = dict(enable=False, base_batch_size=8)
train_cfg = dict(max_iters=8000, val_interval=1000000)
val_cfg = None
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, by_epoch=False, begin=0, end=1000),  # Pro from 0.01
    dict(type='MultiStepLR', by_epoch=False, milestones=[6000], gamma=0.1)
]
