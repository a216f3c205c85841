# Training sources and test sets of still images, at the real relative paths below data_root.
# A config picks from them; '${...}' is filled in after --cfg-options, so data_root=... moves everything.
data_root = 'data/'

# Released augmentation: half of the images are shrunk and cropped, then all are resized.
crop_augment = dict(
    type='RandomApply',
    prob=0.5,
    transforms=[
        dict(
            type='RandomChoiceResize',
            resize_type='PillowResize',
            scales=[(400, 10000), (500, 10000), (600, 10000)],
            keep_ratio=True),
        dict(type='CropWindow', crop_size=(384, 600))
    ])
resize_augment = dict(
    type='RandomChoiceResize',
    resize_type='PillowResize',
    scales=[(short, 1333) for short in range(480, 801, 32)],
    keep_ratio=True)
test_resize = dict(type='PillowResize', scale=(1333, 800), keep_ratio=True)

mask_supervision = ('semantic', 'box', 'mask')
box_supervision = ('semantic', 'box')
prompt_prob = 0.0  # share of batches that point at an object, of the sources trained with visual prompts
training_images = dict(filter_empty_gt=True, min_size=0)

# Folder of pre-parsed annotations, memory-mapped and shared by all processes; None keeps them in memory.
annotation_cache = None

load_image = dict(type='LoadImage', skip_unreadable=True)
box_steps = [
    dict(type='LoadInstances', with_mask=False),
    dict(type='RandomFlip', prob=0.5),
    '${crop_augment}',
    '${resize_augment}',
    dict(type='FilterObjects')
]
mask_steps = [
    dict(type='LoadInstances'),
    dict(type='RandomFlip', prob=0.5),
    '${crop_augment}',
    '${resize_augment}',
    dict(type='RasterizeMasks'),
    dict(type='FilterObjects')
]
pack = dict(type='PackGLEEInputs')

# ---- Objects365 v2 ----
objects365_train = dict(
    type='TextObjects365Dataset',
    data_root='${data_root}Objects365V2/',
    ann_file='annotations/zhiyuan_objv2_train_new.json',
    data_prefix=dict(img='train/'),
    filter_cfg=training_images,
    vocabulary='objects365_v2',
    masks='ignored',
    cache_dir='${annotation_cache}',
    pipeline=[
        load_image, *box_steps,
        dict(type='SetSource', source='objects365', supervision=box_supervision, label_table='obj365'), pack
    ])

# ---- COCO ----
coco_train = dict(
    type='TextCocoDataset',
    data_root='${data_root}coco/',
    ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img='train2017/'),
    filter_cfg=training_images,
    masks='required',
    cache_dir='${annotation_cache}',
    pipeline=[
        load_image, *mask_steps,
        dict(
            type='SetSource', source='coco', supervision=mask_supervision, label_table='coco',
            prompt_prob='${prompt_prob}'),
        pack
    ])

category_test_pipeline = [
    dict(type='LoadImage'),
    '${test_resize}',
    dict(type='LoadInstances', keep_unmasked=True),  # after the resize: original pixels, for pictures
    dict(type='SetSource', source='test', supervision=mask_supervision),
    dict(type='PackGLEEInputs')
]
coco_val = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='${data_root}coco/',
    ann_file='annotations/instances_val2017.json',
    data_prefix=dict(img='val2017/'),
    pipeline=category_test_pipeline)
coco_metric = dict(
    type='CocoEvalMetric',
    ann_file='${data_root}coco/annotations/instances_val2017.json',
    metric=['bbox', 'segm'],
    proposal_nums=(1, 10, 100))

# ---- LVIS v1 ----
lvis_train = dict(
    type='TextLVISDataset',
    data_root='${data_root}',
    ann_file='lvis/lvis_v1_train.json',
    data_prefix=dict(img='coco/'),
    filter_cfg=training_images,
    vocabulary='lvis_v1',
    masks='required',
    cache_dir='${annotation_cache}',
    pipeline=[
        load_image, *mask_steps,
        dict(type='SetSource', source='lvis', supervision=mask_supervision, label_table='obj365'), pack
    ])
lvis_val = dict(
    type='TextLVISDataset',
    test_mode=True,
    data_root='${data_root}',
    ann_file='lvis/lvis_v1_val.json',
    data_prefix=dict(img='coco/'),
    vocabulary='lvis_v1',
    pipeline=category_test_pipeline)
lvis_metric = dict(
    type='LVISEvalMetric', ann_file='${data_root}lvis/lvis_v1_val.json', metric=['bbox', 'segm'])

# ---- RefCOCO, RefCOCO+, RefCOCOg: train splits mixed, test from the REFER files ----
expression_train_pipeline = [
    dict(type='LoadImage', skip_unreadable=True),
    dict(type='PickExpression'),
    dict(type='CleanExpressions'),
    dict(type='LoadInstances'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='SwapSidesOnFlip'),
    dict(type='UnlessOrdinal', transforms=['${crop_augment}']),
    '${resize_augment}',
    dict(type='RasterizeMasks'),
    dict(type='BoxesFromMasks'),
    dict(type='FilterObjects', require_object=True),
    dict(
        type='SetSource', source='refcoco', supervision=mask_supervision, text_mode='expression',
        label_table='object'),
    dict(type='PackGLEEInputs')
]
refcoco_train = [
    dict(
        type='RefCocoJsonDataset',
        data_root='${data_root}',
        ann_file=f'annotations/{name}/instances_train.json',
        data_prefix=dict(img='coco/train2014/'),
        cache_dir='${annotation_cache}',
        pipeline=expression_train_pipeline)
    for name in ('refcoco-unc', 'refcocoplus-unc', 'refcocog-umd')
]

# All three train sets in one file, without the images of any of their val and test splits
# (tools/dataset_converters/).
refcoco_mixed_train = dict(refcoco_train[0], ann_file='annotations/refcoco-mixed/instances_train.json')

# On MiniWorld testA has attribute expressions only and testB relational ones only.
refcoco_test = [
    dict(
        type='ReferDataset',
        test_mode=True,
        data_root='${data_root}coco/',
        data_prefix=dict(img_path='train2014/'),
        ann_file='refcoco/instances.json',
        split_file='refcoco/refs(unc).p',
        split=split,
        pipeline=[
            dict(type='LoadImage'),
            '${test_resize}',
            dict(type='CleanExpressions'),
            dict(type='LoadInstances', keep_unmasked=True),
            dict(type='RasterizeMasks'),
            dict(type='SetSource', source=split, supervision=mask_supervision, text_mode='expression'),
            dict(type='PackGLEEInputs')
        ]) for split in ('testA', 'testB')
]
refcoco_metric = dict(type='ReferringMetric', prefix='refcoco', per_source=True, blind=True)
