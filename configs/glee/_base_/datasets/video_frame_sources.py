# Videos as independent images. Clips of the same files are sampled elsewhere.
_base_ = ['./joint_sources.py']

# ---- YouTube-VIS 2019 and 2021, OVIS ----
ytvis19_frames_train = dict(
    type='VideoFramesDataset',
    data_root='${data_root}ytvis_2019/',
    ann_file='annotations/instances_train_sub.json',
    data_prefix=dict(img='train/JPEGImages/'),
    filter_cfg=_base_.training_images,
    vocabulary='ytvis_2019',
    masks='required',
    cache_dir='${annotation_cache}',
    pipeline=[
        _base_.load_image, *_base_.mask_steps,
        dict(
            type='SetSource', source='ytvis19', supervision=_base_.mask_supervision, prompt_prob='${prompt_prob}'),
        _base_.pack
    ])
ytvis21_frames_train = dict(
    ytvis19_frames_train,
    data_root='${data_root}ytvis_2021/',
    vocabulary='ytvis_2021',
    pipeline=[
        _base_.load_image, *_base_.mask_steps,
        dict(
            type='SetSource', source='ytvis21', supervision=_base_.mask_supervision, prompt_prob='${prompt_prob}'),
        _base_.pack
    ])
ovis_frames_train = dict(
    ytvis19_frames_train,
    data_root='${data_root}ovis/',
    ann_file='annotations_train.json',
    data_prefix=dict(img='train/'),
    vocabulary='ovis',
    pipeline=[
        _base_.load_image, *_base_.mask_steps,
        dict(
            type='SetSource', source='ovis', supervision=_base_.mask_supervision, prompt_prob='${prompt_prob}'),
        _base_.pack
    ])

# ---- Ref-YouTube-VOS: one entry per referred object and frame, in the layout of RefCOCO ----
ref_ytvos_frames_train = dict(
    type='RefCocoJsonDataset',
    data_root='${data_root}ref-youtube-vos/',
    ann_file='RVOS_refcocofmt.json',
    data_prefix=dict(img='train/JPEGImages/'),
    cache_dir='${annotation_cache}',
    pipeline=[
        *_base_.expression_train_pipeline[:-2],
        dict(
            type='SetSource', source='ref_ytvos', supervision=_base_.mask_supervision, text_mode='expression',
            label_table='object'),
        _base_.pack
    ])

# ---- In no image mixture of the paper: YouTube-VOS, UVO dense videos, BDD tracks ----
ytvos_frames_train = dict(
    ytvis19_frames_train,
    data_root='${data_root}ytbvos18/',
    ann_file='train/train.json',
    vocabulary=None,
    prompts='ytvos',
    pipeline=[
        _base_.load_image, *_base_.mask_steps,
        dict(type='SetSource', source='ytvos', supervision=_base_.mask_supervision, label_table='object'), _base_.pack
    ])
uvo_video_frames_train = dict(
    ytvis19_frames_train,
    data_root='${data_root}UVO/',
    ann_file='annotations/VideoDenseSet/UVO_video_train_dense_objectlabel.json',
    data_prefix=dict(img='uvo_videos_dense_frames/'),
    vocabulary='uvo_video',
    pipeline=[
        _base_.load_image, *_base_.mask_steps,
        dict(type='SetSource', source='uvo_video', supervision=_base_.mask_supervision, label_table='uvo'),
        _base_.pack
    ])
bdd_seg_track_frames_train = dict(
    ytvis19_frames_train,
    data_root='${data_root}bdd100k/',
    ann_file='labels/seg_track_20/seg_track_train_cocoformat_uni.json',
    data_prefix=dict(img='images/seg_track_20/train/'),
    vocabulary='bdd_track',
    pipeline=[
        _base_.load_image, *_base_.mask_steps,
        dict(
            type='SetSource', source='bdd_seg_track', supervision=_base_.mask_supervision, label_table='bdd_inst'),
        _base_.pack
    ])
bdd_box_track_frames_train = dict(
    bdd_seg_track_frames_train,
    ann_file='labels/box_track_20/box_track_train_cocofmt_uni.json',
    data_prefix=dict(img='images/track/train/'),
    masks='ignored',
    pipeline=[
        _base_.load_image, *_base_.box_steps,
        dict(
            type='SetSource', source='bdd_box_track', supervision=_base_.box_supervision, label_table='bdd_inst'),
        _base_.pack
    ])
