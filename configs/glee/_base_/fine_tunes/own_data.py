# Fine-tuning on a COCO file of one's own, with masks or with boxes alone. The settings are ours: tried with the small
# model (docs/finetune.md), not with released weights. `glee finetune` sets the files; so does a config of yours, see
# configs/glee/examples/finetune_my_data.py.
_base_ = ['../default_runtime.py']

data_root = 'data/my_data/'
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='TextCocoDataset',
        data_root=data_root,
        ann_file='train.json',
        data_prefix=dict(img='images/'),
        filter_cfg=dict(filter_empty_gt=False, min_size=0),
        pipeline=[
            dict(type='LoadImage', skip_unreadable=True),
            dict(type='LoadInstances'),
            dict(type='RandomFlip', prob=0.5),
            # Few pictures are soon known by heart: parts of them, in other light.
            dict(
                type='RandomApply',
                prob=0.5,
                transforms=[dict(type='CropWindow', crop_type='relative_range', crop_size=(0.5, 0.5))]),
            *[dict(type=kind, prob=0.5, min_mag=0.6, max_mag=1.4) for kind in ('Brightness', 'Contrast', 'Color')],
            dict(
                type='RandomChoiceResize',
                resize_type='PillowResize',
                scales=[(short, 1333) for short in range(480, 801, 32)],
                keep_ratio=True),
            dict(type='RasterizeMasks'),
            dict(type='FilterObjects'),
            # what a picture brings says which losses are on: no masks, no loss of masks
            dict(
                type='PackDetInputs',
                meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'text'))
        ]))
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='TextCocoDataset',
        test_mode=True,
        data_root=data_root,
        ann_file='val.json',
        data_prefix=dict(img='images/'),
        pipeline=[
            dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
            dict(type='SetSource', source='test'),
            dict(type='PillowResize', scale=(1333, 800), keep_ratio=True),
            dict(type='LoadInstances', keep_unmasked=True),
            dict(type='PackGLEEInputs')
        ]))
val_evaluator = dict(
    type='CocoEvalMetric', ann_file='data/my_data/val.json', metric=['bbox', 'segm'], proposal_nums=(1, 10, 100))
test_dataloader, test_evaluator = val_dataloader, val_evaluator

# A file of sentences, each about one object (RefCOCO as our converters write it): `glee finetune` puts these in the
# place of the sets above.
own_sentences = dict(
    train=dict(
        type='RefCocoJsonDataset',
        data_root='',
        pipeline=[
            dict(type='SetSource', source='sentences', text_mode='expression', label_table='object'),
            dict(type='LoadImage', skip_unreadable=True),
            dict(type='PickExpression'),
            dict(type='CleanExpressions'),
            dict(type='LoadInstances'),
            dict(type='RandomFlip', prob=0.5),
            dict(type='SwapSidesOnFlip'),
            dict(
                type='RandomChoiceResize',
                resize_type='PillowResize',
                scales=[(short, 1333) for short in range(480, 801, 32)],
                keep_ratio=True),
            dict(type='RasterizeMasks'),
            dict(type='BoxesFromMasks'),
            dict(type='FilterObjects', require_object=True),
            dict(type='PackGLEEInputs')
        ]),
    val=dict(
        type='RefCocoJsonDataset',
        test_mode=True,
        data_root='',
        pipeline=[
            dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
            dict(type='SetSource', source='sentences', text_mode='expression'),
            dict(type='PillowResize', scale=(1333, 800), keep_ratio=True),
            dict(type='CleanExpressions'),
            dict(type='LoadInstances', keep_unmasked=True),
            dict(type='RasterizeMasks'),
            dict(type='PackGLEEInputs')
        ]))

# Few names: in half of the batches only some are asked for, so that each is also found when it is asked alone. The text
# encoder stays as it is. For all names that are not learned the weights of the start are kept.
own_model = dict(
    type='FineTunedGLEE',
    data_preprocessor=dict(batch_augments=[dict(type='BatchVocabulary', size=100, part_prob=0.5)]),
    panoptic_head=dict(text_encoder=dict(mode='frozen')))
auto_scale_lr = dict(enable=False, base_batch_size=4)
optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
    clip_grad=dict(max_norm=0.1))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2000, val_interval=500)
val_cfg = test_cfg = dict()
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, eta_min=1e-6)
]
default_hooks = dict(
    checkpoint=dict(interval=500, max_keep_ckpts=1, save_best='coco/bbox_mAP', rule='greater'))
