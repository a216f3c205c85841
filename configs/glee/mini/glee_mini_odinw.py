# Box AP of MiniWorld's five sets in the wild and their mean, as on ODinW: looks, sizes and words that its training has
# not shown.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/datasets/image_test.py', '../_base_/datasets/small_pictures.py',
    '../_base_/datasets/miniworld_odinw.py', '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='MixtureDataset',
        datasets=[
            dict(
                type='TextCocoDataset',
                test_mode=True,
                data_root=f'data/miniworld/odinw/dataset/{folder}',
                ann_file=annotations,
                data_prefix=dict(img=pictures),
                pipeline=[
                    dict(step, source=name) if step.type == 'SetSource' else _base_.small.get(step.type, step)
                    for step in _base_.coco_val['pipeline']
                ]) for name, (folder, annotations, pictures) in _base_.folders.items()
        ]))
test_evaluator = dict(
    type='MeanOfSetsMetric',
    prefix='odinw',
    sets={
        name: dict(
            type='CocoEvalMetric',
            ann_file=f'data/miniworld/odinw/dataset/{folder}{annotations}',
            metric='bbox',
            proposal_nums=(1, 10, 100))
        for name, (folder, annotations, pictures) in _base_.folders.items()
    })
test_cfg = dict()
