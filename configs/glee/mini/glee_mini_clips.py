# Fine-tuning of the small model on MiniWorld's clips: names, given objects and sentences, with the
# tracking loss. Without it (ablation): --cfg-options model.panoptic_head.loss_selector.disable="['tracking']".
_base_ = [
    '../_base_/models/glee_mini_video.py', '../_base_/datasets/video_train.py', '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
max_iters = 2000
warmup_iters = 50
clip_range = 10
clip_crop = dict(prob=0.0)
clip_resize = dict(scales=[(160, 10000)])
# Two clips a batch say little about the statistics of pictures.
model = dict(
    backbone=dict(norm_eval=True),
    panoptic_head=dict(
        text_encoder=dict(mode='frozen'), loss_selector=dict(type='DynamicLossSelector', disable=[])))

train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='MixtureSampler', ratios=[2, 3, 1, 1], seed=0),
    batch_sampler=dict(type='MixtureBatchSampler', batch_size=2),
    dataset=dict(
        type='MixtureDataset',
        datasets=[_base_.ytvis19_train, _base_.ovis_train, _base_.ytvos_train, _base_.ref_ytvos_train]))
train_cfg = dict(type='IterBasedTrainLoop', max_iters='${max_iters}', val_interval=1000000)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-4, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
    clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end='${warmup_iters}'),
    dict(type='CosineAnnealingLR', by_epoch=False, begin='${warmup_iters}', end='${max_iters}', eta_min=2e-6)
]
