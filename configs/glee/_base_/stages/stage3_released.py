# Stage 3 on top of the released ratios of stage 2 (Lite and Plus).
_base_ = ['./stage2_released.py']

ratios = dict(_base_.ratios, sa1b=5.0, grit=5.0)

train_dataloader = dict(
    sampler=dict(ratios=list(ratios.values()), repeat_thrs=[0.0] * len(ratios)),
    dataset=dict(datasets=[
        _base_.sa1b_2m_train if name == 'sa1b' else _base_[f'{name}_train'] for name in ratios
    ]))
