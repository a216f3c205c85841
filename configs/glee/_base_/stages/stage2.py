# Stage 2: joint training on all images, the text encoder trained and held near its start.
# The batch of 128 is 64 processes of 2 images (released weights: 32 images, Pro 128).
_base_ = ['../datasets/video_frame_sources.py', '../schedules/adamw_500k.py', '../default_runtime.py']

# Sampling ratios of the paper (supplement, table 2); a variant names other ones, a source that it deletes
# needs no files. Visual Genome's 2 are shared by names and captions, BDD's 0.15 by boxes and masks.
ratios = dict(
    openimages=1.5,
    objects365=1.5,
    lvis=1.5,
    vg_names=1.0,
    vg_captions=1.0,
    coco=1.5,
    refcoco_mixed=2.5,
    sa1b=2.5,
    uvo_frames=0.2,
    bdd_det=0.1,
    bdd_inst=0.05,
    ytvis19_frames=0.3,
    ytvis21_frames=0.3,
    ovis_frames=0.3,
    ref_ytvos_frames=0.3)

# A list as batch_size gives each source its own; repeat_thrs are LVIS repeat-factor thresholds, 0 is off;
# share is the part of each source that is drawn (data scaling).
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    sampler=dict(
        type='MixtureSampler', ratios=list(ratios.values()), repeat_thrs=[0.0] * len(ratios), share=1.0),
    batch_sampler=dict(type='MixtureBatchSampler'),
    dataset=dict(type='MixtureDataset', datasets=[_base_[f'{name}_train'] for name in ratios]))
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

optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'text_encoder.text_model': dict(lr_mult=0.1)}))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', by_epoch=False, milestones=[400000], gamma=0.1)
]
