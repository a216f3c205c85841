# Expressions about MiniWorld's videos: a small LLaVA, trained from random weights on a CPU, over a frozen mini GLEE,
# with a memory of masks (GLUS). The videos: python tools/dataset_converters/make_miniworld.py --videos.
# Without the memory: --cfg-options model.memory=None
_base_ = ['../_base_/models/llava_mini.py', '../_base_/llm_runtime.py']

data_root = 'data/miniworld/'
model = dict(
    type='VideoReasoningSegmentor',
    glee=dict(
        config='configs/glee/mini/glee_mini_coco.py',
        checkpoint='work_dirs/quickstart/glee_mini.pth',
        prompt=('circle', 'square', 'triangle', 'star', 'ring', 'cross', 'heart', 'crescent', 'arrow', 'hourglass'),
        max_objects=12,
        cached_mb=700),
    language_model=_base_.language_model,
    num_objects=8,
    memory=dict(width=32, layers=1, heads=2))

train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(
        type='MetaExpressionsDataset',
        data_root='data/miniworld/mevis/train/',
        ann_file='meta_expressions.json',
        mask_file='mask_dict.json',
        data_prefix=dict(img='JPEGImages/'),
        pipeline=[dict(type='AskVideo', random_wording=False, source='mevis')]))
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_dialogues'),
    dataset=dict(
        type='MetaExpressionsDataset',
        data_root='data/miniworld/mevis/valid_u/',
        ann_file='meta_expressions.json',
        mask_file='mask_dict.json',
        data_prefix=dict(img='JPEGImages/'),
        test_mode=True,
        pipeline=[dict(type='ShowVideo')]))
test_evaluator = dict(type='ExpressionJFMetric', prefix='mevis')
test_cfg = dict()

train_cfg = dict(type='IterBasedTrainLoop', max_iters=1500, val_interval=1000000)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='MuonAdamW', lr=2e-3, momentum=0.9, ns_steps=4, weight_decay=0.0, fused=True),
    paramwise_cfg=dict(custom_keys=dict(embed_tokens=dict(orthogonal=False), lm_head=dict(orthogonal=False))))
