# Reasoning segmentation on MiniWorld's questions: a small LLaVA, trained from random weights on a CPU, over a frozen
# mini GLEE. Write the questions first: python tools/dataset_converters/make_reasoning_world.py data/miniworld
# The ablation without object tokens, which can point at no object either: --cfg-options model.num_objects=0
_base_ = ['../_base_/models/llava_mini.py', '../_base_/llm_runtime.py']

data_root = 'data/miniworld/'
model = dict(
    type='ReasoningSegmentor',
    glee=dict(
        config='configs/glee/mini/glee_mini_coco.py',
        checkpoint='work_dirs/quickstart/glee_mini.pth',
        prompt=('circle', 'square', 'triangle', 'star', 'ring', 'cross', 'heart', 'crescent', 'arrow', 'hourglass'),
        max_objects=20,
        cached_mb=700),
    language_model=_base_.language_model,
    num_objects=12,
    readout='pointed',
    loss_weights=dict(text=1.0, bce=2.0, dice=0.5, objects=2.0))

reason_seg = dict(type='ReasonSegDataset', data_root='data/miniworld/')
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(
        **reason_seg,
        same_picture=True,
        data_prefix=dict(img='ReasonSeg/train/'),
        pipeline=[dict(type='AskReasonSeg', max_turns=4)]))
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(**reason_seg, data_prefix=dict(img='ReasonSeg/val/'), pipeline=[dict(type='AskReasonSeg')]))
test_evaluator = dict(type='ReasonSegMetric')
test_cfg = dict()

train_cfg = dict(type='IterBasedTrainLoop', max_iters=800, val_interval=1000000)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='MuonAdamW', lr=2e-3, momentum=0.9, ns_steps=4, weight_decay=0.0, fused=True),
    paramwise_cfg=dict(custom_keys=dict(embed_tokens=dict(orthogonal=False), lm_head=dict(orthogonal=False))))
