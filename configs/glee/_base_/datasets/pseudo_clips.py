# Clips made of two augmentations of a still image, for joint video training. No key of this file is in another one, so
# it goes beside any config in `_base_` (docs/video.md).


multi_scale = [
    dict(
        type='RandomApply',
        prob=0.5,
        transforms=[
            dict(
                type='RandomChoiceResize',
                resize_type='PillowResize',
                scales=[(400, 10000), (500, 10000), (600, 10000)],
                keep_ratio=True),
            dict(type='CropWindow', crop_size=(384, 600))
        ]),
    dict(
        type='RandomChoiceResize',
        resize_type='PillowResize',
        scales=[(short, 1333) for short in range(480, 801, 32)],
        keep_ratio=True)
]
square = [dict(type='LargeScaleJitter', size=1536, ratio_range=(0.1, 2.0), pad_value=128)]  # GLEE-Pro


def pseudo_clips(source, label_table, augment, load_masks=()):
    """Training pipeline; each frame is flipped, cropped and resized on its own."""
    return [
        dict(type='PseudoClip', num_frames=2, max_objects=30),
        dict(
            type='SetSource', source=source, supervision=('semantic', 'box', 'mask', 'track'),
            label_table=label_table,
            prompt_prob=1.0,  # every batch whose first frames have an object points at one
            prompt_kinds=dict(mask=0.9, box=0.005, point=0.095)),  # DESIGN section 5: 10% are box 5% or point 95%
        dict(
            type='ForEachFrame',
            transforms=[
                dict(type='LoadImage', skip_unreadable=True), *load_masks,
                dict(type='LoadFrameInstances'),
                dict(type='RandomFlip', prob=0.5), *augment,
                dict(type='RasterizeMasks'),
                dict(type='BoxesFromMasks'),
                dict(type='FilterFrameObjects'),
                dict(type='PackFrame')
            ]),
        dict(type='ObjectInFirstFrame'),
        dict(type='PackClip')
    ]


pseudo_images = dict(filter_empty_gt=True, min_size=0)
coco_clips = dict(
    type='TextCocoDataset',
    data_root='data/coco/',
    ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img='train2017/'),
    filter_cfg=pseudo_images,
    masks='required',
    pipeline=pseudo_clips('coco', 'coco', multi_scale))
lvis_clips = dict(
    type='TextLVISDataset',
    data_root='data/',
    ann_file='lvis/lvis_v1_train.json',
    data_prefix=dict(img='coco/'),
    filter_cfg=pseudo_images,
    vocabulary='lvis_v1',
    masks='required',
    pipeline=pseudo_clips('lvis', 'obj365', multi_scale))
load_sa1b = [dict(type='LoadSA1BMasks', skip_unreadable=True)]
sa1b_clips = dict(
    type='SA1BDataset',
    data_root='data/SA1B_scaleup/',
    ann_file='sa1b_500k.json',
    data_prefix=dict(img='images/'),
    filter_cfg=pseudo_images,
    prompts='sa1b',
    pipeline=pseudo_clips('sa1b', 'object', multi_scale, load_sa1b))

coco_clips_square = dict(coco_clips, pipeline=pseudo_clips('coco', 'coco', square))
lvis_clips_square = dict(lvis_clips, pipeline=pseudo_clips('lvis', 'obj365', square))
sa1b_clips_square = dict(sa1b_clips, pipeline=pseudo_clips('sa1b', 'object', square, load_sa1b))
