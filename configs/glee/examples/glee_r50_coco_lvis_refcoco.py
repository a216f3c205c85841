# Stage 2 on COCO, LVIS and RefCOCO alone. Other sources need no files; copy it to make your own choice.
_base_ = ['../glee_r50_stage2.py']

ratios = dict(coco=1.5, lvis=1.5, refcoco_mixed=2.5)
train_dataloader = dict(
    sampler=dict(ratios=list(ratios.values()), repeat_thrs=[0.0] * len(ratios)),
    dataset=dict(datasets=[_base_[f'{name}_train'] for name in ratios]))
ratios['_delete_'] = True  # else those of stage 2 come back
