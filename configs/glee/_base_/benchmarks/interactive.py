# Clicks, boxes, scribbles: IoU and clicks to a quality, on COCO val.
_base_ = ['../datasets/interactive.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.coco_interactive)
test_evaluator = _base_.interactive_metric
test_cfg = dict(**_base_.interactive_loop, predictor=dict(type='SessionPredictor', scale=(1333, 800)))
