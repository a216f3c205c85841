# Objects given by a sentence: Ref-YouTube-VOS, Ref-DAVIS 2017, MeViS, ReVOS, ReasonVOS.
_base_ = ['./video_test.py']

ref_ytvos_val = dict(
    type='ExpressionVideosDataset',
    data_root='data/ref-youtube-vos/',
    ann_file='valid.json',
    data_prefix=dict(img='valid/JPEGImages/'),
    test_mode=True,
    pipeline=_base_.frames_480.sentences)
ref_davis_val = dict(
    type='RefDavisDataset',
    data_root='data/ref-davis/',
    ann_file='meta_expressions/valid/meta_expressions.json',
    data_prefix=dict(img='DAVIS/JPEGImages/480p/', ann='DAVIS/Annotations_unsupervised/480p/'),
    test_mode=True,
    pipeline=_base_.frames_480.sentences)
mevis_val = dict(
    type='MetaExpressionsDataset',
    data_root='data/mevis/valid_u/',
    ann_file='meta_expressions.json',
    mask_file='mask_dict.json',
    data_prefix=dict(img='JPEGImages/'),
    test_mode=True,
    pipeline=_base_.frames_480.sentences)
revos_val = dict(
    type='ReVOSDataset',
    data_root='data/ReVOS/',
    ann_file='meta_expressions_valid_.json',
    mask_file='mask_dict.json',
    foreground_file='mask_dict_foreground.json',
    data_prefix=dict(img='JPEGImages/'),
    test_mode=True,
    pipeline=_base_.frames_480.sentences)
reason_vos_val = dict(
    type='ReasonVOSDataset',
    data_root='data/ReasonVOS/',
    ann_file='meta_expressions.json',
    data_prefix=dict(img='JPEGImages/', ann='Annotations/'),
    test_mode=True,
    pipeline=_base_.frames_480.sentences)
ref_ytvos_metric = dict(type='ExpressionJFMetric', prefix='rvos', **_base_.mask_files)
ref_davis_metric = dict(type='RefDavisMetric', prefix='ref_davis', **_base_.mask_files)
mevis_metric = dict(type='ExpressionJFMetric', prefix='mevis', **_base_.mask_files)
revos_metric = dict(type='ReVOSMetric', prefix='revos', **_base_.mask_files)
reason_vos_metric = dict(type='ReasonVOSMetric', prefix='reason_vos', **_base_.mask_files)
rvos_tracker = dict(type='ExpressionTracker', temporal_weight=1.0)
