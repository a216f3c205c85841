# MiniWorld's image sources and test sets: the real ones below another folder, with pictures of 160 px and no crops.
_base_ = ['./image_sources.py']

no_crop = dict(type='RandomApply', prob=0.0, transforms=[dict(type='CropWindow', crop_size=(128, 192))])
# Each entry takes the place of the steps of its type.
mini = dict(
    RandomApply=no_crop,
    UnlessOrdinal=dict(type='UnlessOrdinal', transforms=[no_crop]),
    RandomChoiceResize=dict(
        type='RandomChoiceResize', resize_type='PillowResize', scales=[(160, 10000)], keep_ratio=True),
    PillowResize=dict(type='PillowResize', scale=(10000, 160), keep_ratio=True))


def small(dataset, folder='', **changes):
    """The same data set, small."""
    return dict(
        dataset, data_root=f'data/miniworld/{folder}',
        pipeline=[mini.get(step.type, step) for step in dataset.pipeline], **changes)


objects365_train = small(_base_.objects365_train, 'Objects365V2/', cache_dir=None)
coco_train = small(_base_.coco_train, 'coco/', cache_dir=None)
coco_train['pipeline'][0] = dict(coco_train['pipeline'][0], prompt_prob=0.4)
coco_val = small(_base_.coco_val, 'coco/')
coco_metric = dict(ann_file='data/miniworld/coco/annotations/instances_val2017.json')
lvis_train = small(_base_.lvis_train, cache_dir=None)
lvis_val = small(_base_.lvis_val)
lvis_metric = dict(ann_file='data/miniworld/lvis/lvis_v1_val.json')
refcoco_train = [small(source, cache_dir=None) for source in _base_.refcoco_train]
refcoco_test = [small(split, 'coco/') for split in _base_.refcoco_test]
