# Training sources and test sets of videos, at the real relative paths below data_root.
# A config picks from them; '${...}' is filled in after --cfg-options, so data_root=... moves everything.
data_root = 'data/'
window = 10  # frames that are in memory at a time
resume_dir = None  # e.g. work_dirs/x/finished: a killed test goes on where it stopped
outfile = None  # also write the submission file or folder of this name

# Released sizes: short side 480 for YouTube-VIS, LV-VIS, VOS and RVOS, 640 for TAO, 720 for OVIS and BURST.
resize_480 = dict(type='PillowResize', scale=(100000, 480), keep_ratio=True)
resize_640 = dict(type='PillowResize', scale=(100000, 640), keep_ratio=True)
resize_720 = dict(type='PillowResize', scale=(1280, 720), keep_ratio=True)

# ---- training: clips ----
clip_crop = dict(
    type='RandomApply',
    prob=0.5,
    transforms=[
        dict(
            type='ForEachFrame',
            share=True,
            transforms=[
                dict(
                    type='RandomChoiceResize',
                    resize_type='PillowResize',
                    scales=[(400, 10000), (500, 10000), (600, 10000)],
                    keep_ratio=True)
            ]),
        dict(type='ForEachFrame', transforms=[dict(type='CropWindow', crop_size=(384, 600))])
    ])
clip_resize = dict(
    type='RandomChoiceResize',
    resize_type='PillowResize',
    scales=[(short, 1333) for short in range(480, 801, 32)],
    keep_ratio=True)
clip_range = 10
track_supervision = ('semantic', 'box', 'mask', 'track')
video_training = dict(filter_empty_gt=True, min_frames=1)
load_clip = [
    dict(type='SampleClip', num_frames=2, frame_range='${clip_range}'),
    dict(
        type='ForEachFrame',
        transforms=[dict(type='LoadImage', skip_unreadable=True), dict(type='LoadFrameInstances')])
]
augment_clip = [
    dict(type='ForEachFrame', share=True, transforms=[dict(type='RandomFlip', prob=0.5)]),
    '${clip_crop}',
    dict(type='ForEachFrame', share=True, transforms=['${clip_resize}']),
]
finish_frames = [dict(type='RasterizeMasks'), dict(type='BoxesFromMasks'), dict(type='FilterFrameObjects')]
pack_clip = [dict(type='ObjectInFirstFrame'), dict(type='PackClip')]


def clips(source, label_table=None, prompt_prob=0.0):
    """Training pipeline of a source of videos with categories; prompt_prob=1 for joint video training."""
    return [
        *load_clip, *augment_clip,
        dict(
            type='ForEachFrame',
            transforms=[
                *finish_frames,
                dict(
                    type='SetSource', source=source, supervision=track_supervision, prompt_prob=prompt_prob,
                    label_table=label_table or source),
                dict(type='PackFrame')
            ]), *pack_clip
    ]


def pseudo_clips(source, label_table=None, prompt_prob=0.0):
    """Training pipeline that makes a clip of two augmentations of a still image."""
    return [
        dict(type='PseudoClip', num_frames=2, max_objects=30),
        dict(
            type='ForEachFrame',
            transforms=[
                dict(type='LoadImage', skip_unreadable=True),
                dict(type='LoadFrameInstances'),
                dict(type='RandomFlip', prob=0.5), '${crop_augment}', '${resize_augment}', *finish_frames,
                dict(
                    type='SetSource', source=source, supervision=track_supervision, prompt_prob=prompt_prob,
                    label_table=label_table or source),
                dict(type='PackFrame')
            ]), *pack_clip
    ]


def expression_clips(source):
    """Training pipeline of a source of videos with sentences, one sentence per clip."""
    return [
        load_clip[0],
        dict(type='PickVideoExpression'),
        dict(
            type='ForEachFrame',
            transforms=[
                dict(type='LoadImage', skip_unreadable=True),
                dict(type='LoadFrameInstances'),
                dict(type='CleanExpressions')
            ]),
        dict(
            type='ForEachFrame',
            share=True,
            transforms=[
                dict(type='RandomFlip', prob=0.5),
                dict(type='SwapSidesOnFlip'),
                '${clip_resize}'
            ]),
        dict(
            type='ForEachFrame',
            transforms=[
                *finish_frames,
                dict(
                    type='SetSource', source=source, supervision=track_supervision, text_mode='expression',
                    label_table='object'),
                dict(type='PackFrame')
            ]),
        dict(type='ObjectInFirstFrame', require=True),
        dict(type='PackClip')
    ]


def ytvis_json(folder, ann_file, img, **kwargs):
    """A file in the YouTube-VIS format."""
    return dict(
        type='YTVISJsonDataset', data_root='${data_root}' + folder, ann_file=ann_file, data_prefix=dict(img=img),
        **kwargs)


training = dict(filter_cfg=video_training)
ytvis19_train = ytvis_json('ytvis_2019/', 'annotations/instances_train_sub.json', 'train/JPEGImages/',
                           pipeline=clips('ytvis19'), **training)
ytvis21_train = ytvis_json('ytvis_2021/', 'annotations/instances_train_sub.json', 'train/JPEGImages/',
                           pipeline=clips('ytvis21'), **training)
ovis_train = ytvis_json('ovis/', 'annotations_train.json', 'train/', pipeline=clips('ovis'), **training)
uvo_train = ytvis_json('UVO/', 'annotations/VideoDenseSet/UVO_video_train_dense_objectlabel.json',
                       'uvo_videos_dense_frames/', pipeline=clips('uvo_video'), **training)
ytvos_train = ytvis_json('ytbvos18/train/', 'train.json', 'JPEGImages/', text=('object', ),
                         pipeline=clips('ytvos', 'object', prompt_prob=1.0), **training)
ref_ytvos_train = dict(
    type='ExpressionVideosDataset', data_root='${data_root}ref-youtube-vos/', ann_file='train.json',
    data_prefix=dict(img='train/JPEGImages/'), pipeline=expression_clips('ref_ytvos'), **training)
mevis_train = dict(
    type='MetaExpressionsDataset', data_root='${data_root}mevis/train/', ann_file='meta_expressions.json',
    mask_file='mask_dict.json', data_prefix=dict(img='JPEGImages/'), pipeline=expression_clips('mevis'), **training)


# Clips of still images, for joint video training; crop_augment and resize_augment as in image_sources.py.
coco_clips = dict(
    type='TextCocoDataset',
    data_root='${data_root}coco/',
    ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img='train2017/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=0),
    pipeline=pseudo_clips('coco', prompt_prob=1.0))
lvis_clips = dict(
    type='TextLVISDataset',
    data_root='${data_root}',
    ann_file='lvis/lvis_v1_train.json',
    data_prefix=dict(img='coco/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=0),
    pipeline=pseudo_clips('lvis', 'obj365', prompt_prob=1.0))

# ---- test: windows of whole videos ----
def test_frames(resize):
    """Test pipeline for a vocabulary."""
    return [
        dict(
            type='ForEachFrame',
            transforms=[
                dict(type='LoadFrame'), resize,
                dict(type='SetSource', source='test', supervision=track_supervision),
                dict(type='PackFrame', with_truth=True)
            ]),
        dict(type='PackClip')
    ]


# The mask of an object's first frame is its prompt.
prompted_test_frames = [
    dict(
        type='ForEachFrame',
        transforms=[
            dict(type='LoadFrame'),
            dict(type='FirstMaskPrompts'), '${resize_480}',
            dict(type='WarpPrompts'),
            dict(type='SetSource', source='test', supervision=track_supervision),
            dict(type='PackFrame', with_truth=True)
        ]),
    dict(type='PackClip')
]
expression_test_frames = [
    dict(
        type='ForEachFrame',
        transforms=[
            dict(type='LoadFrame'), '${resize_480}',
            dict(type='CleanExpressions'),
            dict(type='SetSource', source='test', supervision=track_supervision, text_mode='expression'),
            dict(type='PackFrame', with_truth=True)
        ]),
    dict(type='PackClip')
]
ytvis19_val = ytvis_json('ytvis_2019/', 'annotations/instances_val_sub.json', 'val/JPEGImages/', test_mode=True,
                         pipeline=test_frames('${resize_480}'))
ytvis21_val = ytvis_json('ytvis_2021/', 'annotations/instances_val_sub.json', 'val/JPEGImages/', test_mode=True,
                         pipeline=test_frames('${resize_480}'))
ovis_val = ytvis_json('ovis/', 'annotations_valid.json', 'valid/', test_mode=True,
                      pipeline=test_frames('${resize_720}'))
lvvis_val = ytvis_json('lvvis/', 'val_instances.json', 'val/JPEGImages/', test_mode=True,
                       pipeline=test_frames('${resize_480}'))
uvo_val = ytvis_json('UVO/', 'annotations/VideoDenseSet/UVO_video_val_dense_objectlabel.json',
                     'uvo_videos_dense_frames/', test_mode=True, pipeline=test_frames('${resize_480}'))
tao_val = ytvis_json('TAO/', 'TAO_annotations/validation_ytvisfmt.json', 'frames/', test_mode=True,
                     eval_file='TAO_annotations/validation.json', pipeline=test_frames('${resize_640}'))
burst_val = dict(
    type='BURSTDataset', data_root='${data_root}', ann_file='burst_annotations/val/all_classes.json', test_mode=True,
    data_prefix=dict(img='TAO/frames/val/'), pipeline=test_frames('${resize_720}'))
bdd_box_val = ytvis_json('bdd100k/', 'labels/box_track_20/box_track_val_cocofmt_uni.json', 'images/track/val/',
                         test_mode=True, pipeline=test_frames('${resize_720}'))
bdd_seg_val = ytvis_json('bdd100k/', 'labels/seg_track_20/seg_track_val_cocoformat_uni.json',
                         'images/seg_track_20/val/', test_mode=True, pipeline=test_frames('${resize_720}'))
davis_val = dict(
    type='PNGTreeDataset', data_root='${data_root}DAVIS/', split_file='ImageSets/2017/val.txt', test_mode=True,
    data_prefix=dict(img='JPEGImages/480p/', ann='Annotations/480p/'), pipeline=prompted_test_frames)
mose_val = dict(
    type='PNGTreeDataset', data_root='${data_root}mose/val/', test_mode=True,
    data_prefix=dict(img='JPEGImages/', ann='Annotations/'), pipeline=prompted_test_frames)
ytvos_val = dict(
    type='PNGTreeDataset', data_root='${data_root}ytbvos18/val/', meta_file='meta.json', test_mode=True,
    data_prefix=dict(img='JPEGImages/', ann='Annotations/'), pipeline=prompted_test_frames)
ref_ytvos_val = dict(
    type='ExpressionVideosDataset', data_root='${data_root}ref-youtube-vos/', ann_file='valid.json', test_mode=True,
    data_prefix=dict(img='valid/JPEGImages/'), pipeline=expression_test_frames)
ref_davis_val = dict(
    type='ExpressionVideosDataset', data_root='${data_root}ref-davis/', test_mode=True,
    ann_files=[f'valid_{annotator}.json' for annotator in range(4)], data_prefix=dict(img='valid/JPEGImages/'),
    pipeline=expression_test_frames)
mevis_val = dict(
    type='MetaExpressionsDataset', data_root='${data_root}mevis/valid_u/', ann_file='meta_expressions.json',
    mask_file='mask_dict.json', data_prefix=dict(img='JPEGImages/'), test_mode=True, pipeline=expression_test_frames)

# ---- trackers and metrics ----
tao_tracker = dict(type='MinVISTracker', one_name_per_track=True, max_per_video=50, frame_nms=0.5, min_mask_pixels=5)
files = dict(outfile_prefix='${outfile}', resume_dir='${resume_dir}')
ytvis_metric = dict(type='VISMetric', prefix='ytvis', **files)
ovis_metric = dict(type='VISMetric', prefix='ovis', **files)
lvvis_metric = dict(
    type='VISMetric', prefix='lvvis', subsets=dict(base=(0, 1), novel=(2, 3)), ignore_crowd=False, **files)
tao_metric = dict(type='TETAMetric', prefix='tao', **files)
burst_metric = dict(type='BURSTMetric', prefix='burst', **files)
bdd_box_metric = dict(type='BDDTrackMetric', prefix='bdd_mot', **files)
bdd_seg_metric = dict(type='BDDTrackMetric', prefix='bdd_mots', iou_type='segm', **files)
davis_metric = dict(type='DavisVOSMetric', prefix='vos', **files)
mose_metric = dict(type='DavisVOSMetric', prefix='mose', skip_last=False, **files)
ytvos_metric = dict(type='YouTubeVOSMetric', prefix='ytvos', **files)
ref_ytvos_metric = dict(type='ExpressionJFMetric', prefix='rvos', **files)
ref_davis_metric = dict(type='RefDavisMetric', prefix='ref_davis', **files)
mevis_metric = dict(type='ExpressionJFMetric', prefix='mevis', **files)

video_test = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=False,
    sampler=dict(type='WindowSampler', window='${window}', resume_dir='${resume_dir}'))
del clips, pseudo_clips, expression_clips, ytvis_json, test_frames
