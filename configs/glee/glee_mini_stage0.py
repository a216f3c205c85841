# Names of given boxes, before any detection: what ImageNet and CLIP weights are to the full recipe.
_base_ = ['./glee_mini_stage2.py']

max_iters = 1000
load_from = None
model = dict(type='ObjectNaming', panoptic_head=dict(type='NamingHead'))

train_dataloader = dict(
    batch_size=16,
    sampler=dict(ratios=[4, 1, 1]),
    dataset=dict(
        datasets=[_base_.coco_train, _base_.lvis_train, _base_.objects365_train]))
# The names keep their places: at the common rate they run together before objects are told apart.
optim_wrapper = dict(
    optimizer=dict(lr=2e-3),
    paramwise_cfg=dict(custom_keys=dict(text_encoder=dict(lr_mult=0.0), align_bias=dict(lr_mult=40))))
