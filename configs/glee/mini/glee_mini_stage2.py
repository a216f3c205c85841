# The stage-2 recipe scaled to a CPU: MiniWorld, small networks, text and visual prompts, everything from scratch.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/datasets/miniworld_images.py', '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
# All kinds of prompt are simulated, where the paper's recipe has masks, boxes and points.
model = dict(
    data_preprocessor=dict(
        batch_augments=[
            dict(type='BatchVocabulary', size=100),
            dict(
                type='BatchPrompts',
                kinds=dict(mask=0.2, box=0.2, point=0.3, polygon=0.1, scribble=0.15, circle=0.05))
        ]))

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(type='MixtureSampler', ratios=[1.0, 1.7, 0.1, 2.3, 0.6, 0.2], seed=0),
    batch_sampler=dict(type='MixtureBatchSampler'),
    dataset=dict(
        type='MixtureDataset',
        datasets=[_base_.coco_train, _base_.lvis_train, _base_.objects365_train, *_base_.refcoco_train]))

auto_scale_lr = dict(enable=False, base_batch_size=4)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10000, val_interval=1000000)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='MuonAdamW', lr=2e-3, momentum=0.9, ns_steps=4, weight_decay=0.05, fused=True),
    # The names move little, and all but the backbone is easily upset.
    paramwise_cfg=dict(custom_keys={
        'backbone': dict(lr_mult=3.),
        'text_encoder': dict(lr_mult=0.1),
        'token_embedding': dict(lr_mult=0.1, orthogonal=False),
        'position_embedding': dict(lr_mult=0.1, orthogonal=False),
        'label_tables': dict(orthogonal=False),
        'level_embed': dict(orthogonal=False),
        'category_embed': dict(lr_mult=0.3, orthogonal=False),
        'align_bias': dict(lr_mult=10., decay_mult=0.)}),
    clip_grad=dict(max_norm=50.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=60, eta_min=8e-6)
]
