# The stage-2 recipe scaled to a CPU: MiniWorld, small networks, everything from scratch.
_base_ = [
    './_base_/models/glee_mini.py', './_base_/datasets/image_sources.py', './_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
max_iters = 10000
warmup_iters = 100

crop_augment = dict(
    type='RandomApply',
    prob=0.0,
    transforms=[dict(type='CropWindow', crop_size=(128, 192))])
resize_augment = dict(
    type='RandomChoiceResize', resize_type='PillowResize',
    scales=[(160, 10000)], keep_ratio=True)
test_resize = dict(type='PillowResize', scale=(10000, 160), keep_ratio=True)

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='MixtureSampler', ratios=[3, 1, 1, 1, 1, 1], seed=0),
    batch_sampler=dict(type='MixtureBatchSampler'),
    dataset=dict(
        type='MixtureDataset',
        datasets=[_base_.coco_train, _base_.lvis_train, _base_.objects365_train, *_base_.refcoco_train]))

train_cfg = dict(type='IterBasedTrainLoop', max_iters='${max_iters}', val_interval=1000000)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.05, fused=True),
    # The bias is one number: at the common rate the names would move together to do its work.
    paramwise_cfg=dict(custom_keys=dict(
        text_encoder=dict(lr_mult=0.1),
        category_embed=dict(lr_mult=0.3),
        align_bias=dict(lr_mult=200, decay_mult=0))),
    # The alignment has nearly all of the gradient norm: a smaller limit would slow the rest down whenever it jumps.
    clip_grad=dict(max_norm=1000.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end='${warmup_iters}'),
    dict(type='CosineAnnealingLR', by_epoch=False, begin='${warmup_iters}', end='${max_iters}', eta_min=8e-6)
]
