# Video instance segmentation: YouTube-VIS, OVIS, UVO, LV-VIS.
_base_ = ['./video_test.py']

ytvis19_val = dict(
    type='YTVISJsonDataset',
    data_root='data/ytvis_2019/',
    ann_file='annotations/instances_val_sub.json',
    data_prefix=dict(img='val/JPEGImages/'),
    test_mode=True,
    pipeline=_base_.frames_480.names)
ytvis21_val = dict(
    type='YTVISJsonDataset',
    data_root='data/ytvis_2021/',
    ann_file='annotations/instances_val_sub.json',
    data_prefix=dict(img='val/JPEGImages/'),
    test_mode=True,
    pipeline=_base_.frames_480.names)
ovis_val = dict(
    type='YTVISJsonDataset',
    data_root='data/ovis/',
    ann_file='annotations_valid.json',
    data_prefix=dict(img='valid/'),
    test_mode=True,
    pipeline=_base_.frames_720.names)
uvo_val = dict(
    type='YTVISJsonDataset',
    data_root='data/UVO/',
    ann_file='annotations/VideoDenseSet/UVO_video_val_dense_objectlabel.json',
    data_prefix=dict(img='uvo_videos_dense_frames/'),
    vocabulary='uvo_video',
    test_mode=True,
    pipeline=_base_.frames_480.names)
lvvis_val = dict(
    type='YTVISJsonDataset',
    data_root='data/lvvis/',
    ann_file='val_instances.json',
    data_prefix=dict(img='val/JPEGImages/'),
    test_mode=True,
    pipeline=_base_.frames_480.names)
ytvis_metric = dict(type='VISMetric', prefix='ytvis', **_base_.files)
ovis_metric = dict(type='VISMetric', prefix='ovis', **_base_.files)
uvo_metric = dict(type='VISMetric', prefix='uvo', **_base_.files)
lvvis_metric = dict(
    type='VISMetric', prefix='lvvis', subsets=dict(base=(0, 1), novel=(2, 3)), ignore_crowd=False, **_base_.files)
