# Names of given boxes, before any detection: what ImageNet and CLIP weights are to the full recipe.
_base_ = ['./glee_mini_stage2.py']

max_iters = 1000
load_from = None
model = dict(
    _delete_=True,
    type='ObjectNaming',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=_base_.model.backbone,
    panoptic_head=dict(
        type='NamingHead',
        in_channels=[32, 64, 128, 256],
        embed_dims=64,
        text_encoder=_base_.model.panoptic_head.text_encoder))

train_dataloader = dict(
    batch_size=8,
    sampler=dict(ratios=[1, 2, 2]),
    dataset=dict(
        datasets=[_base_.coco_train, _base_.lvis_train, _base_.objects365_train]))
optim_wrapper = dict(optimizer=dict(lr=2e-3))
