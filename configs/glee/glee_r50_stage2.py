# Stage 2: joint training on detection, instance, long-tailed and referring data, the text encoder
# trained and held near its start. Of the paper's sources those that have readers so far.
_base_ = [
    './_base_/models/glee_r50.py', './_base_/datasets/image_sources.py',
    './_base_/schedules/adamw_500k.py', './_base_/default_runtime.py'
]

prompt_prob = 0.2

# The three RefCOCO train sets share the paper's ratio of 2.5 in equal parts.
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='MixtureSampler', ratios=[1.5, 1.5, 1.5, 2.5 / 3, 2.5 / 3, 2.5 / 3]),
    batch_sampler=dict(type='MixtureBatchSampler'),
    dataset=dict(
        type='MixtureDataset',
        datasets=[
            _base_.objects365_train, _base_.lvis_train, _base_.coco_train, *_base_.refcoco_train
        ]))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.coco_val)
val_evaluator = _base_.coco_metric
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict()

optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'text_encoder.text_model': dict(lr_mult=0.1)}))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', by_epoch=False, milestones=[400000], gamma=0.1)
]
