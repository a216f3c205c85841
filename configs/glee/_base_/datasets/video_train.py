# Training sources of videos as clips, at the real relative paths below data_root.
# A config picks from them; '${...}' is filled in after --cfg-options, so data_root=... moves everything.
data_root = 'data/'

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
clip_window = dict(type='Compose', transforms=[])  # of each frame, after the resize: nothing but in GLEE-Pro
clip_range = 10  # OVIS; YouTube-VIS 5
clip_prompt_prob = 0.0  # 1 points at an object of the first frame of every clip (joint VOS training)
dense_prompt_kinds = dict(mask=0.9, box=0.005, point=0.095)  # of UVO: 10% of the prompts are box 5% or point 95%
track_supervision = ('semantic', 'box', 'mask', 'track')
video_training = dict(filter_empty_gt=True, min_frames=1)
box_track_supervision = ('semantic', 'box', 'track')
sample_clip = dict(type='SampleClip', num_frames=2, frame_range='${clip_range}')
augment_clip = [
    dict(type='ForEachFrame', share=True, transforms=[dict(type='RandomFlip', prob=0.5)]),
    '${clip_crop}',
    dict(type='ForEachFrame', share=True, transforms=['${clip_resize}']),
]
finish_boxes = ['${clip_window}', dict(type='FilterFrameObjects')]
finish_masks = [
    '${clip_window}',
    dict(type='RasterizeMasks'),
    dict(type='BoxesFromMasks'),
    dict(type='FilterFrameObjects')
]
pack_clip = [dict(type='ObjectInFirstFrame'), dict(type='PackClip')]


def clips(source, label_table=None, prompt_prob='${clip_prompt_prob}', masks=True, **marks):
    """Training pipeline of a source of videos with categories; without masks no prompt can be drawn."""
    return [
        sample_clip,
        dict(
            type='ForEachFrame',
            transforms=[
                dict(type='LoadImage', skip_unreadable=True),
                dict(type='LoadFrameInstances', with_mask=masks)
            ]), *augment_clip,
        dict(
            type='ForEachFrame',
            transforms=[
                *(finish_masks if masks else finish_boxes),
                dict(
                    type='SetSource', source=source, prompt_prob=prompt_prob, label_table=label_table or source,
                    supervision=track_supervision if masks else box_track_supervision, **marks),
                dict(type='PackFrame')
            ]), *pack_clip
    ]


def expression_clips(source):
    """Training pipeline of a source of videos with sentences, one sentence per clip."""
    return [
        sample_clip,
        dict(type='PickVideoExpression'),
        dict(
            type='ForEachFrame',
            transforms=[
                dict(type='LoadImage', skip_unreadable=True),
                dict(type='LoadFrameInstances'),
                dict(type='CleanExpressions'),
                dict(type='UnlessOrdinal', transforms=[])  # the note alone, for resizes that lead to a crop
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
                *finish_masks,
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
                       'uvo_videos_dense_frames/', vocabulary='uvo_video',
                       pipeline=clips('uvo_video', 'uvo', prompt_kinds=dense_prompt_kinds), **training)
ytvos_train = ytvis_json('ytbvos18/train/', 'train.json', 'JPEGImages/', text=('object', ),
                         pipeline=clips('ytvos', 'object', prompt_prob=1.0), **training)
bdd_seg_track_train = ytvis_json(
    'bdd100k/', 'labels/seg_track_20/seg_track_train_cocoformat_uni.json', 'images/seg_track_20/train/',
    pipeline=clips('bdd_seg_track', 'bdd_inst'), **training)
bdd_box_track_train = ytvis_json(
    'bdd100k/', 'labels/box_track_20/box_track_train_cocofmt_uni.json', 'images/track/train/',
    pipeline=clips('bdd_box_track', 'bdd_inst', prompt_prob=0.0, masks=False), **training)
ref_ytvos_train = dict(
    type='ExpressionVideosDataset', data_root='${data_root}ref-youtube-vos/', ann_file='train.json',
    data_prefix=dict(img='train/JPEGImages/'), pipeline=expression_clips('ref_ytvos'), **training)
mevis_train = dict(
    type='MetaExpressionsDataset', data_root='${data_root}mevis/train/', ann_file='meta_expressions.json',
    mask_file='mask_dict.json', data_prefix=dict(img='JPEGImages/'), pipeline=expression_clips('mevis'), **training)
del clips, expression_clips, ytvis_json
