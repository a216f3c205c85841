# Fine-tuning of the small model on MiniWorld's clips: names, given objects and sentences, with the
# tracking loss. Clips have few names; pictures of LVIS beside them keep the long tail.
# Without the loss (ablation): --cfg-options model.panoptic_head.loss_selector.disable="['tracking']".
_base_ = [
    '../_base_/models/glee_mini_video.py', '../_base_/datasets/video_train.py',
    '../_base_/datasets/miniworld_images.py', '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
# Two clips a batch say little about the statistics of pictures.
model = dict(
    backbone=dict(norm_eval=True),
    panoptic_head=dict(
        text_encoder=dict(mode='frozen'), loss_selector=dict(type='DynamicLossSelector', disable=[])))


def small(source, folder, kind):
    """The same source of clips, small."""
    return dict(
        source,
        data_root=f'data/miniworld/{folder}',
        pipeline=[_base_.far, source.pipeline[1], *_base_.clips_mini[kind]])


long_tail = dict(
    _base_.lvis_train,
    pipeline=[
        dict(type='PseudoClip'),
        dict(
            type='SetSource',
            source='lvis',
            supervision=('semantic', 'box', 'mask', 'track'),
            label_table='obj365'), *_base_.clips_mini['masks']
    ])
train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    sampler=dict(type='MixtureSampler', ratios=[2, 3, 1, 1, 3], seed=0),
    batch_sampler=dict(type='MixtureBatchSampler', batch_size=2),
    dataset=dict(
        type='MixtureDataset',
        datasets=[
            small(_base_.ytvis19_train, 'ytvis_2019/', 'masks'),
            small(_base_.ovis_train, 'ovis/', 'masks'),
            small(_base_.ytvos_train, 'ytbvos18/train/', 'masks'),
            small(_base_.ref_ytvos_train, 'ref-youtube-vos/', 'sentences'), long_tail
        ]))
auto_scale_lr = dict(enable=False, base_batch_size=2)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2000, val_interval=1000000)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-4, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
    clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, eta_min=2e-6)
]
