# What all fine-tunes on clips share: everything but the source, its sampling and the length of the training.
# A model freezes its text encoder; start from a stage 2 or 3 checkpoint (load_from).
_base_ = ['../datasets/video_train.py', '../schedules/adamw_500k.py', '../default_runtime.py']

max_iters = 8000
decay_at = 6000
warmup_start = 1e-4  # Pro 0.01

# 8 clips a batch: 8 processes
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='MixtureSampler', ratios=[1]),
    batch_sampler=dict(type='MixtureBatchSampler', batch_size=1),
    dataset=dict(type='MixtureDataset'))
train_cfg = dict(type='IterBasedTrainLoop', max_iters='${max_iters}', val_interval=1000000)
val_cfg = None
param_scheduler = [
    dict(type='LinearLR', start_factor='${warmup_start}', by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=False, milestones=['${decay_at}'], gamma=0.1)
]
