# GLEE-Lite fine-tuned on YouTube-VIS 2021.
# Start from a stage 2 or 3 checkpoint: --cfg-options load_from=...
_base_ = [
    './_base_/models/glee_r50_video.py', './_base_/datasets/video_train.py', './_base_/schedules/adamw_500k.py',
    './_base_/default_runtime.py'
]

clip_range = 5
clip_resize = dict(scales=[(short, 1333) for short in range(320, 641, 32)])
model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))

# 8 clips a batch: 8 processes
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='MixtureSampler', ratios=[1]),
    batch_sampler=dict(type='MixtureBatchSampler', batch_size=1),
    dataset=dict(type='MixtureDataset', datasets=[_base_.ytvis21_train]))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=8000, val_interval=1000000)
val_cfg = None
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=False, milestones=[6000], gamma=0.1)
]
