# The stage-2 recipe of MiniWorld with a backbone that knows photographs: a start for photographs of your own.
# docs/checkpoints.md says how data/efficientnet_lite0.pth is made.
_base_ = ['./glee_mini_stage2.py', '../_base_/models/lite0_backbone.py']

model = dict(
    _base_.with_lite0,
    backbone=dict(
        _base_.with_lite0.backbone,
        init_cfg=dict(type='Pretrained', checkpoint='data/efficientnet_lite0.pth', prefix='backbone.')))

# Synthetic pictures shall not overwrite what the backbone knows of real ones: it moves by AdamW, and slowly.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.05, orthogonal=False))))
