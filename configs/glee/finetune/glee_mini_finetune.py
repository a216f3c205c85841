# The small model fine-tuned on your own COCO file, in pictures of 240 px, on a CPU.
_base_ = ['../_base_/models/glee_mini.py', '../_base_/fine_tunes/own_data.py']

mini = dict(
    RandomChoiceResize=dict(
        type='RandomChoiceResize', resize_type='PillowResize', scales=[(short, 640) for short in range(176, 305, 16)],
        keep_ratio=True),
    PillowResize=dict(type='PillowResize', scale=(640, 240), keep_ratio=True))
# Photographs show more objects than pictures of MiniWorld; queries are chosen from the encoder, so any number does.
# MiniWorld was learned in pictures of 160 px.
model = dict(_base_.own_model, start_side=160, panoptic_head=dict(_base_.own_model.panoptic_head, num_queries=60))
train_dataloader = dict(
    num_workers=1,
    dataset=dict(pipeline=[mini.get(step.type, step) for step in _base_.train_dataloader.dataset.pipeline]))
val_dataloader = dict(
    dataset=dict(pipeline=[mini.get(step.type, step) for step in _base_.val_dataloader.dataset.pipeline]))
test_dataloader = val_dataloader
own_sentences = dict(
    train=dict(pipeline=[mini.get(step.type, step) for step in _base_.own_sentences.train.pipeline]),
    val=dict(pipeline=[mini.get(step.type, step) for step in _base_.own_sentences.val.pipeline]))
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='MuonAdamW', lr=1e-3, momentum=0.9, ns_steps=4, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(custom_keys=dict(
        label_tables=dict(orthogonal=False), level_embed=dict(orthogonal=False),
        category_embed=dict(lr_mult=0.3, orthogonal=False))),
    clip_grad=dict(max_norm=50.0))
