# AdamW as in the paper: backbone x0.1, global gradient-norm clip 0.01, mixed precision on a GPU.
optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1)}),
    clip_grad=dict(max_norm=0.01))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=500000, val_interval=20000)
val_cfg = dict()
