# Training of the trajectory head on the annotated boxes and sentences of Ref-YouTube-VOS; no picture is read.
# Start it with load_from=<a checkpoint without the head>; nothing else changes. Settings are ours.
_base_ = ['../datasets/video_train.py']

load_ignore = [r'^trajectory_head\.']
trajectory_model = dict(type='GLEETrajectories', data_preprocessor=dict(_delete_=True, type='BaseDataPreprocessor'))
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    sampler=dict(type='MixtureSampler', ratios=[1], seed=0),
    batch_sampler=dict(type='MixtureBatchSampler'),
    dataset=dict(
        type='MixtureDataset',
        datasets=[
            dict(
                _base_.ref_ytvos_train,
                pipeline=[
                    dict(type='LoadTrajectories', flip_prob=0.5, noise=0.01, drop_prob=0.05),
                    dict(type='CleanExpressions'),
                    dict(type='SwapSidesOnFlip'),
                    dict(type='PackTrajectories')
                ])
        ]))
auto_scale_lr = dict(enable=False, base_batch_size=8)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=600, val_interval=1000000)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0))
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=False, eta_min=0.)]
