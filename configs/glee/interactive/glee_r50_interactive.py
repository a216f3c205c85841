# 1-click mIoU and NoC of GLEE-Lite on COCO val.
_base_ = [
    '../_base_/models/glee_r50.py', '../_base_/datasets/interactive.py', '../_base_/default_runtime.py'
]

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))  # no teacher of distillation
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.coco_interactive)
test_evaluator = _base_.interactive_metric
test_cfg = dict(**_base_.interactive_loop, predictor=dict(type='SessionPredictor', scale=(1333, 800)))
