# Box AP of ten sets in the wild and their mean, as on ODinW-35: of MiniWorld's five sets both halves that are not
# trained on, valid and test.
_base_ = ['./glee_mini_odinw.py']

test_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                dataset,
                ann_file=dataset.ann_file.replace('valid/', f'{half}/'),
                data_prefix=dict(img=f'{half}/'),
                pipeline=[
                    dict(step, source=f'{name}_{half}') if step.type == 'SetSource' else step
                    for step in dataset.pipeline
                ]) for half in ('valid', 'test')
            for name, dataset in zip(_base_.folders, _base_.test_dataloader.dataset.datasets)
        ]))
test_evaluator = dict(
    _delete_=True,
    type='MeanOfSetsMetric',
    prefix='odinw35',
    sets={
        f'{name}_{half}': dict(metric, ann_file=metric.ann_file.replace('valid/', f'{half}/'))
        for half in ('valid', 'test') for name, metric in _base_.test_evaluator.sets.items()
    })
