# Prompts of several kinds on MiniWorld's COCO file: IoU after the first one, clicks to IoU 0.85 and 0.9.
# Other sets: --cfg-options test_dataloader.dataset='${voc_interactive}'; the other click rule: test_cfg.rule=seem
_base_ = ['./glee_mini_stage2.py', '../_base_/datasets/interactive.py']

resume_dir = None  # e.g. work_dirs/x/finished: a killed test goes on where it stopped

test_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=_base_.coco_interactive)
test_evaluator = dict(type='InteractiveSegMetric', prefix='interactive')
test_cfg = dict(
    type='InteractiveTestLoop',
    rounds=dict(point=20, box=1, scribble=1, polygon=1, circle=1, mask=1, none=1),
    rule='ritm',
    resume_dir='${resume_dir}',
    predictor=dict(type='SessionPredictor', scale=(10000, 160)))
