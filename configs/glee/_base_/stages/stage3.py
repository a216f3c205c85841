# Stage 3: scaling up, 500k further iterations of stage 2 from its weights (load_from), with 2 million images
# of SA-1B at a ratio of 5.0 and GRIT at 5.0.
_base_ = ['./stage2.py']

ratios = dict(_base_.ratios, sa1b=5.0, grit=5.0)

train_dataloader = dict(
    sampler=dict(ratios=list(ratios.values()), repeat_thrs=[0.0] * len(ratios)),
    dataset=dict(datasets=[
        _base_.sa1b_2m_train if name == 'sa1b' else _base_[f'{name}_train'] for name in ratios
    ]))
