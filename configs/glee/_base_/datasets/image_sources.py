# Training sources and test sets of still images, at the real relative paths below data/. A config picks from them.
# A pipeline is what the source is (SetSource) and then the steps of its kind.

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

box_steps = [
    dict(type='LoadImage', skip_unreadable=True),
    dict(type='LoadInstances', with_mask=False),
    dict(type='RandomFlip', prob=0.5),
    crop_augment,
    resize_augment,
    dict(type='FilterObjects'),
    dict(type='PackGLEEInputs')
]
mask_steps = [
    dict(type='LoadImage', skip_unreadable=True),
    dict(type='LoadInstances'),
    dict(type='RandomFlip', prob=0.5),
    crop_augment,
    resize_augment,
    dict(type='RasterizeMasks'),
    dict(type='FilterObjects'),
    dict(type='PackGLEEInputs')
]
expression_steps = [
    dict(type='LoadImage', skip_unreadable=True),
    dict(type='PickExpression'),
    dict(type='CleanExpressions'),
    dict(type='LoadInstances'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='SwapSidesOnFlip'),
    dict(type='UnlessOrdinal', transforms=[crop_augment]),
    resize_augment,
    dict(type='RasterizeMasks'),
    dict(type='BoxesFromMasks'),
    dict(type='FilterObjects', require_object=True),
    dict(type='PackGLEEInputs')
]

box_supervision = ('semantic', 'box')
training_images = dict(filter_empty_gt=True, min_size=0)
# Folder of pre-parsed annotations, memory-mapped and shared by all processes; None keeps them in memory. A name without
# a folder is one in the work folder.
cache_dir = 'annotation_cache'

# ---- Objects365 v2 ----
objects365_train = dict(
    type='TextObjects365Dataset',
    data_root='data/Objects365V2/',
    ann_file='annotations/zhiyuan_objv2_train_new.json',
    data_prefix=dict(img='train/'),
    filter_cfg=training_images,
    vocabulary='objects365_v2',
    masks='ignored',
    cache_dir=cache_dir,
    pipeline=[
        dict(type='SetSource', source='objects365', supervision=box_supervision, label_table='obj365'), *box_steps
    ])

# ---- COCO ----
coco_train = dict(
    type='TextCocoDataset',
    data_root='data/coco/',
    ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img='train2017/'),
    filter_cfg=training_images,
    masks='required',
    cache_dir=cache_dir,
    pipeline=[dict(type='SetSource', source='coco', prompt_prob=0.2), *mask_steps])
coco_val = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='data/coco/',
    ann_file='annotations/instances_val2017.json',
    data_prefix=dict(img='val2017/'),
    pipeline=[
        dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
        dict(type='SetSource', source='test'),
        dict(type='PillowResize', scale=(1333, 800), keep_ratio=True),
        dict(type='LoadInstances', keep_unmasked=True),  # after the resize: original pixels, for pictures
        dict(type='PackGLEEInputs')
    ])
coco_metric = dict(
    type='CocoEvalMetric',
    ann_file='data/coco/annotations/instances_val2017.json',
    metric=['bbox', 'segm'],
    proposal_nums=(1, 10, 100))

# ---- LVIS v1 ----
lvis_train = dict(
    type='TextLVISDataset',
    data_root='data/',
    ann_file='lvis/lvis_v1_train.json',
    data_prefix=dict(img='coco/'),
    filter_cfg=training_images,
    vocabulary='lvis_v1',
    masks='required',
    cache_dir=cache_dir,
    pipeline=[dict(type='SetSource', source='lvis', label_table='obj365'), *mask_steps])
lvis_val = dict(
    type='TextLVISDataset',
    test_mode=True,
    data_root='data/',
    ann_file='lvis/lvis_v1_val.json',
    data_prefix=dict(img='coco/'),
    vocabulary='lvis_v1',
    pipeline=coco_val['pipeline'])
lvis_metric = dict(type='LVISEvalMetric', ann_file='data/lvis/lvis_v1_val.json', metric=['bbox', 'segm'])

# ---- RefCOCO, RefCOCO+, RefCOCOg: train splits mixed, test from the REFER files ----
refcoco_train = [
    dict(
        type='RefCocoJsonDataset',
        data_root='data/',
        ann_file=f'annotations/{name}/instances_train.json',
        data_prefix=dict(img='coco/train2014/'),
        cache_dir=cache_dir,
        pipeline=[
            dict(type='SetSource', source='refcoco', text_mode='expression', label_table='object'), *expression_steps
        ]) for name in ('refcoco-unc', 'refcocoplus-unc', 'refcocog-umd')
]

# All three train sets in one file, without the images of any of their val and test splits
# (tools/dataset_converters/).
refcoco_mixed_train = dict(refcoco_train[0], ann_file='annotations/refcoco-mixed/instances_train.json')

# On MiniWorld testA has attribute expressions only and testB relational ones only.
refcoco_test = [
    dict(
        type='ReferDataset',
        test_mode=True,
        lazy_init=True,  # all splits are read together, by the set that joins them
        data_root='data/coco/',
        data_prefix=dict(img_path='train2014/'),
        ann_file='refcoco/instances.json',
        split_file='refcoco/refs(unc).p',
        split=split,
        pipeline=[
            dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
            dict(type='SetSource', source=split, text_mode='expression'),
            dict(type='PillowResize', scale=(1333, 800), keep_ratio=True),
            dict(type='CleanExpressions'),
            dict(type='LoadInstances', keep_unmasked=True),
            dict(type='RasterizeMasks'),
            dict(type='PackGLEEInputs')
        ]) for split in ('testA', 'testB')
]
refcoco_metric = dict(type='ReferringMetric', prefix='refcoco', per_source=True, blind=True)
