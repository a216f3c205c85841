# Optimiser and schedule of GLEE-Pro, in all stages: learning rates fall by 0.8 per block towards the first, the
# backbone is not slowed down otherwise. The released model trained the text encoder at the full rate.
layer_decay_optim_wrapper = dict(
    type='AmpOptimWrapper',
    constructor='LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.1, fused=True),
    paramwise_cfg=dict(layer_decay_rate=0.8, custom_keys={'text_encoder.text_model': dict(lr_mult=0.1)}),
    clip_grad=dict(max_norm=0.01))
layer_decay_param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=False, milestones=[400000], gamma=0.1)
]
