# Videos as independent images. Clips of the same files are sampled elsewhere.
_base_ = ['./joint_sources.py']

# ---- YouTube-VIS 2019 and 2021, OVIS ----
ytvis19_frames_train = dict(
    type='VideoFramesDataset',
    data_root='data/ytvis_2019/',
    ann_file='annotations/instances_train_sub.json',
    data_prefix=dict(img='train/JPEGImages/'),
    filter_cfg=_base_.training_images,
    vocabulary='ytvis_2019',
    masks='required',
    cache_dir=_base_.cache_dir,
    pipeline=[dict(type='SetSource', source='ytvis19', prompt_prob=0.2), *_base_.mask_steps])
ytvis21_frames_train = dict(
    ytvis19_frames_train,
    data_root='data/ytvis_2021/',
    vocabulary='ytvis_2021',
    pipeline=[dict(type='SetSource', source='ytvis21', prompt_prob=0.2), *_base_.mask_steps])
ovis_frames_train = dict(
    ytvis19_frames_train,
    data_root='data/ovis/',
    ann_file='annotations_train.json',
    data_prefix=dict(img='train/'),
    vocabulary='ovis',
    pipeline=[dict(type='SetSource', source='ovis', prompt_prob=0.2), *_base_.mask_steps])

# ---- Ref-YouTube-VOS: one entry per referred object and frame, in the layout of RefCOCO ----
ref_ytvos_frames_train = dict(
    type='RefCocoJsonDataset',
    data_root='data/ref-youtube-vos/',
    ann_file='RVOS_refcocofmt.json',
    data_prefix=dict(img='train/JPEGImages/'),
    cache_dir=_base_.cache_dir,
    pipeline=[
        dict(type='SetSource', source='ref_ytvos', text_mode='expression', label_table='object'),
        *_base_.expression_steps
    ])

# ---- In no image mixture of the paper: YouTube-VOS, UVO dense videos, BDD tracks ----
ytvos_frames_train = dict(
    ytvis19_frames_train,
    data_root='data/ytbvos18/',
    ann_file='train/train.json',
    vocabulary=None,
    prompts='ytvos',
    pipeline=[dict(type='SetSource', source='ytvos', label_table='object'), *_base_.mask_steps])
uvo_video_frames_train = dict(
    ytvis19_frames_train,
    data_root='data/UVO/',
    ann_file='annotations/VideoDenseSet/UVO_video_train_dense_objectlabel.json',
    data_prefix=dict(img='uvo_videos_dense_frames/'),
    vocabulary='uvo_video',
    pipeline=[dict(type='SetSource', source='uvo_video', label_table='uvo'), *_base_.mask_steps])
bdd_seg_track_frames_train = dict(
    ytvis19_frames_train,
    data_root='data/bdd100k/',
    ann_file='labels/seg_track_20/seg_track_train_cocoformat_uni.json',
    data_prefix=dict(img='images/seg_track_20/train/'),
    vocabulary='bdd_track',
    pipeline=[dict(type='SetSource', source='bdd_seg_track', label_table='bdd_inst'), *_base_.mask_steps])
bdd_box_track_frames_train = dict(
    bdd_seg_track_frames_train,
    ann_file='labels/box_track_20/box_track_train_cocofmt_uni.json',
    data_prefix=dict(img='images/track/train/'),
    masks='ignored',
    pipeline=[
        dict(
            type='SetSource', source='bdd_box_track', supervision=_base_.box_supervision, label_table='bdd_inst'),
        *_base_.box_steps
    ])
