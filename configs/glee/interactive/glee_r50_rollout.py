# Interactive fine-tuning of GLEE-Lite on simulated clicks, with negative tokens and memory, and the interactive test of
# the result. Start it with load_from=<a stage 2 or 3 checkpoint>; backbone and text stay fixed.
_base_ = ['../glee_r50_stage2.py', '../_base_/fine_tunes/rollout.py', '../_base_/datasets/interactive.py']

model = dict(
    **_base_.rollout_model,
    panoptic_head=dict(
        prompter=dict(
            negative_tokens=True, memory=dict(type='MemoryPromptEncoder'), dense=dict(type='MaskFeatureRefiner'))))

_base_.coco_train.pipeline[0].prompt_prob = 1.0
ratios = dict(_delete_=True, coco=1.0)
train_dataloader = dict(
    sampler=dict(ratios=[1.0], repeat_thrs=[0.0]), dataset=dict(datasets=[_base_.coco_train]))
train_cfg = dict(max_iters=20000, val_interval=5000)
optim_wrapper = dict(optimizer=dict(lr=1e-5), paramwise_cfg=dict(custom_keys=_base_.rollout_rates))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, eta_min=0.)
]

test_dataloader = dict(dataset=dict(_delete_=True, **_base_.coco_interactive))
test_evaluator = dict(_delete_=True, **_base_.interactive_metric)
test_cfg = dict(**_base_.interactive_loop, predictor=dict(type='SessionPredictor', scale=(1333, 800)))
