# 1-click mIoU and NoC of GLEE-Lite on COCO val; VOC and SBD with
# --cfg-options test_dataloader.dataset='${voc_interactive}'
_base_ = [
    '../_base_/models/glee_r50.py', '../_base_/datasets/interactive.py', '../_base_/default_runtime.py'
]

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))  # no teacher of distillation
data_root = 'data/'
resume_dir = None  # e.g. work_dirs/x/finished: a killed test goes on where it stopped

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.coco_interactive)
test_evaluator = dict(type='InteractiveSegMetric', prefix='interactive')
test_cfg = dict(
    type='InteractiveTestLoop',
    rounds=dict(point=20, box=1, scribble=1, polygon=1, circle=1, mask=1, none=1),
    rule='ritm',
    resume_dir='${resume_dir}',
    predictor=dict(type='SessionPredictor', scale=(1333, 800)))
