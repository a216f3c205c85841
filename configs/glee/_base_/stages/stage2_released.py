# The ratios that the released Lite and Plus weights were trained with; those of Pro are the paper's.
_base_ = ['./stage2.py']

ratios = dict(_base_.ratios, vg_names=1.5, vg_captions=1.5, sa1b=2.0)
del ratios['ref_ytvos_frames']

train_dataloader = dict(
    sampler=dict(ratios=list(ratios.values()), repeat_thrs=[0.0] * len(ratios)),
    dataset=dict(datasets=[_base_[f'{name}_train'] for name in ratios]))
ratios['_delete_'] = True  # else the deleted one comes back from stage2.py
