# Few-shot fine-tuning on one set of ODinW; the best checkpoint on its valid files is kept. Per category 1, 3, 5, 10 or
# all (None) pictures, 3 seeds each:
#   --cfg-options shots=3 shot_seed=30 max_iters=300       shots 1, 3, 5, 10, None: max_iters 200, 300, 400, 600, 2000
# Another set: FewShotCocoDataset.data_root="data/odinw/dataset/pothole/"
#   CocoEvalMetric.ann_file="data/odinw/dataset/pothole/valid/annotations_without_background.json"
_base_ = ['../datasets/image_sources.py', '../schedules/adamw_500k.py', '../default_runtime.py']

one_set = dict(type='FewShotCocoDataset', data_root='data/odinw/dataset/Aquarium/Aquarium Combined.v2-raw-1024.coco/')
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        **one_set,
        ann_file='train/annotations_without_background.json',
        data_prefix=dict(img='train/'),
        filter_cfg=_base_.training_images,
        masks='ignored',
        shots=1,
        shot_seed=3,  # the benchmark's: 3, 30, 300
        pipeline=[
            dict(type='SetSource', source='few_shot', supervision=_base_.box_supervision, label_table='obj365'),
            *_base_.box_steps
        ]))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        **one_set,
        test_mode=True,
        ann_file='valid/annotations_without_background.json',
        data_prefix=dict(img='valid/'),
        pipeline=_base_.coco_val.pipeline))
val_evaluator = dict(
    type='CocoEvalMetric',
    ann_file='data/odinw/dataset/Aquarium/Aquarium Combined.v2-raw-1024.coco/valid/annotations_without_background.json',
    metric='bbox',
    proposal_nums=(1, 10, 100))
test_dataloader, test_evaluator = val_dataloader, val_evaluator
test_cfg = dict()

# The text encoder stays as it is.
few_shot_model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
auto_scale_lr = dict(enable=False, base_batch_size=4)
train_cfg = dict(max_iters=200, val_interval=50)
param_scheduler = [dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20)]
default_hooks = dict(
    checkpoint=dict(interval=50, max_keep_ckpts=1, save_best='coco/bbox_mAP', rule='greater'))
