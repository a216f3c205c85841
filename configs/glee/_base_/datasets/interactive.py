# Objects to point at, at original size: COCO val, Pascal VOC val and SBD val.
original_size_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadInstances', keep_unmasked=True),
    dict(type='RasterizeMasks'),
    dict(type='FilterObjects'),
    dict(type='SetSource', source='interactive', supervision=('semantic', 'box', 'mask')),
    dict(type='PackGLEEInputs')
]
instance_map_pipeline = [
    dict(type='LoadImage'),
    dict(type='LoadInstanceMap'),
    dict(type='SetSource', source='interactive', supervision=('semantic', 'box', 'mask')),
    dict(type='PackGLEEInputs')
]
coco_interactive = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='${data_root}coco/',
    ann_file='annotations/instances_val2017.json',
    data_prefix=dict(img='val2017/'),
    pipeline=original_size_pipeline)
voc_interactive = dict(
    type='VOCInstanceDataset',
    test_mode=True,
    data_root='${data_root}VOCdevkit/VOC2012/',
    ann_file='ImageSets/Segmentation/val.txt',
    pipeline=instance_map_pipeline)
sbd_interactive = dict(
    type='SBDInstanceDataset',
    test_mode=True,
    data_root='${data_root}benchmark_RELEASE/dataset/',
    ann_file='val.txt',
    pipeline=instance_map_pipeline)
