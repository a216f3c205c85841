# Detection and instance segmentation on MiniWorld's COCO file.
_base_ = ['./glee_mini_stage2.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.coco_val)
test_evaluator = _base_.coco_metric
test_cfg = dict()
