# The small model with a backbone that knows photographs, fine-tuned on your own COCO file, on a CPU.
_base_ = ['./glee_mini_finetune.py', '../_base_/models/lite0_backbone.py']

model = _base_.with_lite0
# What the backbone knows is to be kept: it moves by AdamW, at a tenth of the rate.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1, orthogonal=False))))
