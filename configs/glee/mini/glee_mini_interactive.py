# Prompts of several kinds on MiniWorld's COCO file: IoU after the first one, clicks to IoU 0.85 and 0.9.
# The other click rule: --cfg-options test_cfg.rule=seem
_base_ = ['./glee_mini_stage2.py', '../_base_/datasets/interactive.py']

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_base_.coco_interactive, data_root='data/miniworld/coco/'))
test_evaluator = _base_.interactive_metric
test_cfg = dict(**_base_.interactive_loop, predictor=dict(type='SessionPredictor', scale=(10000, 160)))
