# The small model fine-tuned on a few pictures of one of MiniWorld's sets in the wild (tools/few_shot.py: of all five).
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/fine_tunes/odinw_few_shot.py', '../_base_/datasets/small_pictures.py'
]

data_root = 'data/miniworld/'
model = _base_.few_shot_model
small_train = dict(
    RandomApply=dict(type='RandomApply', prob=0.0, transforms=[dict(type='CropWindow', crop_size=(128, 192))]),
    RandomChoiceResize=dict(
        type='RandomChoiceResize', resize_type='PillowResize', scales=[(160, 10000)], keep_ratio=True))
train_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/miniworld/odinw/dataset/Night/',
        pipeline=[small_train.get(step.type, step) for step in _base_.train_dataloader.dataset.pipeline]))
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root='data/miniworld/odinw/dataset/Night/',
        pipeline=[_base_.small.get(step.type, step) for step in _base_.val_dataloader.dataset.pipeline]))
val_evaluator = dict(
    ann_file='data/miniworld/odinw/dataset/Night/valid/annotations_without_background.json')
test_dataloader, test_evaluator = val_dataloader, val_evaluator
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='MuonAdamW', lr=1e-3, momentum=0.9, ns_steps=4, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(custom_keys=dict(
        label_tables=dict(orthogonal=False), level_embed=dict(orthogonal=False),
        category_embed=dict(lr_mult=0.3, orthogonal=False))),
    clip_grad=dict(max_norm=50.0))
