# Training sources of videos as clips, at the real relative paths below data/. A config picks from them.
# A pipeline is which frames (SampleClip), what the source is (SetSource) and then the steps of its size and kind.


def steps(crop_prob, resize, window=()):
    """Steps of clips with masks, with boxes alone and with sentences.

    ``resize`` is one for all frames; ``window`` comes after it, for each frame on its own.
    """

    def finish(*steps):
        return dict(type='ForEachFrame', transforms=[*window, *steps, dict(type='PackFrame')])

    def category_steps(with_mask, *fit_masks):
        return [
            dict(
                type='ForEachFrame',
                transforms=[
                    dict(type='LoadImage', skip_unreadable=True),
                    dict(type='LoadFrameInstances', with_mask=with_mask)
                ]),
            dict(type='ForEachFrame', share=True, transforms=[dict(type='RandomFlip', prob=0.5)]),
            dict(
                type='RandomApply',
                prob=crop_prob,
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
                ]),
            dict(type='ForEachFrame', share=True, transforms=[resize]),
            finish(*fit_masks, dict(type='FilterFrameObjects')),
            dict(type='ObjectInFirstFrame'),
            dict(type='PackClip')
        ]

    fit_masks = [dict(type='RasterizeMasks'), dict(type='BoxesFromMasks')]
    return dict(
        masks=category_steps(True, *fit_masks),
        boxes=category_steps(False),
        sentences=[  # one per clip
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
                transforms=[dict(type='RandomFlip', prob=0.5), dict(type='SwapSidesOnFlip'), resize]),
            finish(*fit_masks, dict(type='FilterFrameObjects')),
            dict(type='ObjectInFirstFrame', require=True),
            dict(type='PackClip')
        ])


def short_side(scales):
    """Resize of the short side to one of several lengths."""
    return dict(type='RandomChoiceResize', resize_type='PillowResize', scales=scales, keep_ratio=True)


clips_320_640 = steps(0.5, short_side([(short, 1333) for short in range(320, 641, 32)]))
clips_480_800 = steps(0.5, short_side([(short, 1333) for short in range(480, 801, 32)]))
# GLEE-Pro: large-scale jittering, which crops by itself; one scale for all frames, a window of its own for each.
clips_square = steps(
    0.0,
    dict(type='JitterScale', size=1536, ratio_range=(0.1, 2.0)),
    window=[dict(type='FitSquare', size=1536, pad_value=128)])
clips_mini = steps(0.0, short_side([(160, 10000)]))


def source(name, label_table=None, masks=True, **marks):
    """What the clips of a source are."""
    supervision = ('semantic', 'box', 'mask', 'track') if masks else ('semantic', 'box', 'track')
    return dict(type='SetSource', source=name, supervision=supervision, label_table=label_table or name, **marks)


near = dict(type='SampleClip', num_frames=2, frame_range=5)
far = dict(type='SampleClip', num_frames=2, frame_range=10)
dense_prompt_kinds = dict(mask=0.9, box=0.005, point=0.095)  # of UVO: 10% of the prompts are box 5% or point 95%
training = dict(filter_cfg=dict(filter_empty_gt=True, min_frames=1))

ytvis19_train = dict(
    type='YTVISJsonDataset',
    data_root='data/ytvis_2019/',
    ann_file='annotations/instances_train_sub.json',
    data_prefix=dict(img='train/JPEGImages/'),
    pipeline=[near, source('ytvis19'), *clips_320_640['masks']],
    **training)
ytvis21_train = dict(
    ytvis19_train, data_root='data/ytvis_2021/', pipeline=[near, source('ytvis21'), *clips_320_640['masks']])
ovis_train = dict(
    type='YTVISJsonDataset',
    data_root='data/ovis/',
    ann_file='annotations_train.json',
    data_prefix=dict(img='train/'),
    pipeline=[far, source('ovis'), *clips_480_800['masks']],
    **training)
uvo_train = dict(
    type='YTVISJsonDataset',
    data_root='data/UVO/',
    ann_file='annotations/VideoDenseSet/UVO_video_train_dense_objectlabel.json',
    data_prefix=dict(img='uvo_videos_dense_frames/'),
    vocabulary='uvo_video',
    pipeline=[far, source('uvo_video', 'uvo', prompt_kinds=dense_prompt_kinds), *clips_480_800['masks']],
    **training)
ytvos_train = dict(
    type='YTVISJsonDataset',
    data_root='data/ytbvos18/train/',
    ann_file='train.json',
    data_prefix=dict(img='JPEGImages/'),
    text=('object', ),
    pipeline=[far, source('ytvos', 'object', prompt_prob=1.0), *clips_480_800['masks']],
    **training)
bdd_seg_track_train = dict(
    type='YTVISJsonDataset',
    data_root='data/bdd100k/',
    ann_file='labels/seg_track_20/seg_track_train_cocoformat_uni.json',
    data_prefix=dict(img='images/seg_track_20/train/'),
    pipeline=[near, source('bdd_seg_track', 'bdd_inst'), *clips_480_800['masks']],
    **training)
bdd_box_track_train = dict(  # no prompt can be drawn without masks
    type='YTVISJsonDataset',
    data_root='data/bdd100k/',
    ann_file='labels/box_track_20/box_track_train_cocofmt_uni.json',
    data_prefix=dict(img='images/track/train/'),
    pipeline=[near, source('bdd_box_track', 'bdd_inst', masks=False), *clips_480_800['boxes']],
    **training)
ref_ytvos_train = dict(
    type='ExpressionVideosDataset',
    data_root='data/ref-youtube-vos/',
    ann_file='train.json',
    data_prefix=dict(img='train/JPEGImages/'),
    pipeline=[near, source('ref_ytvos', 'object', text_mode='expression'), *clips_320_640['sentences']],
    **training)
mevis_train = dict(
    type='MetaExpressionsDataset',
    data_root='data/mevis/train/',
    ann_file='meta_expressions.json',
    mask_file='mask_dict.json',
    data_prefix=dict(img='JPEGImages/'),
    pipeline=[far, source('mevis', 'object', text_mode='expression'), *clips_480_800['sentences']],
    **training)
revos_train = dict(
    type='ReVOSDataset',
    data_root='data/ReVOS/',
    ann_file='meta_expressions_train_.json',
    mask_file='mask_dict.json',
    data_prefix=dict(img='JPEGImages/'),
    pipeline=[far, source('revos', 'object', text_mode='expression'), *clips_480_800['sentences']],
    **training)
