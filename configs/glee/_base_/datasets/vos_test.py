# Objects given by their first mask: DAVIS 2017, MOSE, YouTube-VOS.
_base_ = ['./video_test.py']

davis_val = dict(
    type='PNGTreeDataset',
    data_root='data/DAVIS/',
    split_file='ImageSets/2017/val.txt',
    data_prefix=dict(img='JPEGImages/480p/', ann='Annotations/480p/'),
    test_mode=True,
    pipeline=_base_.frames_480.objects)
mose_val = dict(
    type='PNGTreeDataset',
    data_root='data/mose/val/',
    data_prefix=dict(img='JPEGImages/', ann='Annotations/'),
    test_mode=True,
    pipeline=_base_.frames_480.objects)
ytvos_val = dict(
    type='PNGTreeDataset',
    data_root='data/ytbvos18/val/',
    meta_file='meta.json',
    train_meta_file='../train/meta.json',  # categories that it lacks are unseen; None scores all as seen
    data_prefix=dict(img='JPEGImages/', ann='Annotations/'),
    test_mode=True,
    pipeline=_base_.frames_480.objects)
davis_metric = dict(type='DavisVOSMetric', prefix='vos', **_base_.mask_files)
mose_metric = dict(type='DavisVOSMetric', prefix='mose', from_appearance=True, **_base_.mask_files)
ytvos_metric = dict(type='YouTubeVOSMetric', prefix='ytvos', **_base_.mask_files)
vos_tracker = dict(type='PromptTracker', memory='first')
