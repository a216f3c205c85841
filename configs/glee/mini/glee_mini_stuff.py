# Fine-tuning on panoptic maps beside the sources of glee_mini_stage2, so that stuff is no longer zero-shot. Start it
# with load_from=<a checkpoint of that config>; test it with glee_mini_panoptic.py. The maps:
# python tools/dataset_converters/coco_to_maps.py data/miniworld --layout panoptic --split train2017
_base_ = ['./glee_mini_panoptic.py']

panoptic_train = dict(
    type='CocoPanopticDataset',
    return_classes=True,
    metainfo=_base_.test_dataloader.dataset.metainfo,
    data_root='data/miniworld/coco/',
    ann_file='annotations/panoptic_train2017.json',
    data_prefix=dict(img='train2017/', seg='annotations/panoptic_train2017/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=0),
    pipeline=[
        dict(type='SetSource', source='panoptic', label_table='coco'),
        dict(type='LoadImage', skip_unreadable=True),
        dict(type='LoadPanopticMap'),
        dict(type='StuffAsObjects'),
        dict(type='RandomFlip', prob=0.5),
        _base_.mini.RandomApply,
        _base_.mini.RandomChoiceResize,
        dict(type='FilterObjects'),
        dict(type='PackGLEEInputs')
    ])

train_dataloader = dict(
    sampler=dict(ratios=[*_base_.train_dataloader.sampler.ratios, 4.0]),
    dataset=dict(datasets=[*_base_.train_dataloader.dataset.datasets, panoptic_train]))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_iters=600)
