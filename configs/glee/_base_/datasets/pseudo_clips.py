# Clips made of two augmentations of a still image, for joint video training; needs image_sources.py.
def pseudo_clips(source, label_table):
    """Training pipeline; every batch points at an object of the first frame."""
    return [
        dict(type='PseudoClip', num_frames=2, max_objects=30),
        dict(
            type='ForEachFrame',
            transforms=[
                dict(type='LoadImage', skip_unreadable=True),
                dict(type='LoadFrameInstances'),
                dict(type='RandomFlip', prob=0.5), '${crop_augment}', '${resize_augment}',
                dict(type='RasterizeMasks'),
                dict(type='BoxesFromMasks'),
                dict(type='FilterFrameObjects'),
                dict(
                    type='SetSource', source=source, supervision=('semantic', 'box', 'mask', 'track'),
                    label_table=label_table, prompt_prob=1.0),
                dict(type='PackFrame')
            ]),
        dict(type='ObjectInFirstFrame'),
        dict(type='PackClip')
    ]


coco_clips = dict(
    type='TextCocoDataset',
    data_root='${data_root}coco/',
    ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img='train2017/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=0),
    pipeline=pseudo_clips('coco', 'coco'))
lvis_clips = dict(
    type='TextLVISDataset',
    data_root='${data_root}',
    ann_file='lvis/lvis_v1_train.json',
    data_prefix=dict(img='coco/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=0),
    pipeline=pseudo_clips('lvis', 'obj365'))
del pseudo_clips
