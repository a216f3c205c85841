# Tracking of boxes and masks: TAO, BURST, BDD100K.
_base_ = ['./video_test.py']

tao_val = dict(
    type='YTVISJsonDataset',
    data_root='data/TAO/',
    ann_file='TAO_annotations/validation_ytvisfmt.json',
    data_prefix=dict(img='frames/'),
    eval_file='TAO_annotations/validation.json',
    classes='tao',  # the 302 names that GLEE asks for, out of the 833 of the file
    vocabulary='tao',
    test_mode=True,
    pipeline=_base_.frames_640.names)
burst_val = dict(
    type='BURSTDataset',
    data_root='data/',
    ann_file='burst_annotations/val/all_classes.json',
    data_prefix=dict(img='TAO/frames/val/'),
    test_mode=True,
    pipeline=_base_.frames_720.names)
bdd_box_val = dict(
    type='YTVISJsonDataset',
    data_root='data/bdd100k/',
    ann_file='labels/box_track_20/box_track_val_cocofmt_uni.json',
    data_prefix=dict(img='images/track/val/'),
    test_mode=True,
    pipeline=_base_.frames_800.names)
bdd_seg_val = dict(
    type='YTVISJsonDataset',
    data_root='data/bdd100k/',
    ann_file='labels/seg_track_20/seg_track_val_cocoformat_uni.json',
    data_prefix=dict(img='images/seg_track_20/val/'),
    test_mode=True,
    pipeline=_base_.frames_800.names)
tao_tracker = dict(type='MinVISTracker', one_name_per_track=True, max_per_video=50, frame_nms=0.5, min_mask_pixels=5)
# Here false tracks count. The threshold is our choice, not tuned on BDD100K.
bdd_tracker = dict(
    type='MinVISTracker', one_name_per_track=True, max_per_video=100, frame_nms=0.5, min_mask_pixels=5, min_score=0.3)
tao_metric = dict(type='TETAMetric', prefix='tao', **_base_.files)
burst_metric = dict(type='BURSTMetric', prefix='burst', **_base_.files)
bdd_box_metric = dict(type='BDDTrackMetric', prefix='bdd_mot', **_base_.files)
bdd_seg_metric = dict(type='BDDTrackMetric', prefix='bdd_mots', iou_type='segm', **_base_.files)
