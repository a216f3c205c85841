# Stage 1: detection pre-training with a frozen text encoder, Objects365 and OpenImages alike. Start from a
# converted MaskDINO R50 checkpoint with load_from, whatever the backbone.
# The batch of 128 is 64 processes of 2 images (released weights: 64 images, Pro 128).
_base_ = ['../datasets/joint_sources.py', '../schedules/adamw_500k.py', '../default_runtime.py']

# A list as batch_size gives each source its own; share is the part of each source that is drawn (data scaling).
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    sampler=dict(type='MixtureSampler', ratios=[1.0, 1.0], repeat_thrs=[0.0, 0.0], share=1.0),
    batch_sampler=dict(type='MixtureBatchSampler'),
    dataset=dict(type='MixtureDataset', datasets=[_base_.objects365_train, _base_.openimages_train]))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.coco_val)
val_evaluator = _base_.coco_metric
test_dataloader = val_dataloader
test_evaluator = val_evaluator
test_cfg = dict()
auto_scale_lr = dict(enable=False, base_batch_size=128)

param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=False, milestones=[400000], gamma=0.1)
]
