# Objects to point at, at original size: COCO val, Pascal VOC val and SBD val.
coco_interactive = dict(
    type='TextCocoDataset',
    test_mode=True,
    data_root='data/coco/',
    ann_file='annotations/instances_val2017.json',
    data_prefix=dict(img='val2017/'),
    pipeline=[
        dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
        dict(type='SetSource', source='interactive'),
        dict(type='LoadInstances', keep_unmasked=True),
        dict(type='RasterizeMasks'),
        dict(type='FilterObjects'),
        dict(type='PackGLEEInputs')
    ])
instance_map_steps = [
    dict(type='glee.LoadImageFromFile', imdecode_backend='pillow'),
    dict(type='SetSource', source='interactive'),
    dict(type='LoadInstanceMap'),
    dict(type='PackGLEEInputs')
]
voc_interactive = dict(
    type='VOCInstanceDataset',
    test_mode=True,
    data_root='data/VOCdevkit/VOC2012/',
    ann_file='ImageSets/Segmentation/val.txt',
    pipeline=instance_map_steps)
sbd_interactive = dict(
    type='SBDInstanceDataset',
    test_mode=True,
    data_root='data/benchmark_RELEASE/dataset/',
    ann_file='val.txt',
    pipeline=instance_map_steps)

interactive_metric = dict(type='InteractiveSegMetric', prefix='interactive')
# resume_dir, e.g. work_dirs/x/finished: a killed test goes on where it stopped. The other rule of clicks: 'seem'.
interactive_loop = dict(
    type='InteractiveTestLoop',
    rounds=dict(point=20, box=1, scribble=1, polygon=1, circle=1, mask=1, none=1),
    rule='ritm',
    resume_dir=None)
