# Box AP of several sets and their mean, as on ODinW: MiniWorld's COCO, Objects365, OpenImages and BDD100K.
_base_ = [
    '../_base_/models/glee_mini.py', '../_base_/datasets/image_test.py', '../_base_/datasets/small_pictures.py',
    '../_base_/default_runtime.py'
]

data_root = 'data/miniworld/'
parts = dict(
    coco=dict(_base_.coco_val, data_root='data/miniworld/coco/'),
    objects365=dict(_base_.objects365_val, data_root='data/miniworld/Objects365V2/'),
    openimages=dict(_base_.openimages_val, data_root='data/miniworld/openimages/'),
    bdd=dict(_base_.bdd_det_val, data_root='data/miniworld/bdd100k/'))

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='MixtureDataset',
        datasets=[
            dict(
                part,
                pipeline=[
                    dict(step, source=name) if step.type == 'SetSource' else _base_.small.get(step.type, step)
                    for step in part['pipeline']
                ]) for name, part in parts.items()
        ]))
test_evaluator = dict(
    type='MeanOfSetsMetric',
    prefix='odinw',
    sets={
        name: dict(
            type='CocoEvalMetric',
            ann_file=part['data_root'] + part['ann_file'],
            metric='bbox',
            proposal_nums=(1, 10, 100))
        for name, part in parts.items()
    })
test_cfg = dict()
