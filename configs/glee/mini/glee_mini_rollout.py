# Interactive fine-tuning after glee_mini_stage2: the model meets its own mistakes and clicks on them,
# with negative tokens and memory. Start it with load_from=<that checkpoint>; backbone and text stay fixed.
_base_ = ['./glee_mini_stage2.py', '../_base_/fine_tunes/rollout.py']

model = dict(
    **_base_.rollout_model,
    panoptic_head=dict(
        prompter=dict(
            negative_tokens=True,
            memory=dict(type='MemoryPromptEncoder', num_tokens=32, num_heads=4),
            dense=dict(type='MaskFeatureRefiner', hidden_dims=32))))

_base_.train_dataloader.dataset.datasets[0].pipeline[0].prompt_prob = 1.0
train_dataloader = dict(sampler=dict(ratios=[1, 0, 0, 0, 0, 0]))
train_cfg = dict(max_iters=1400)
optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=dict(custom_keys=_base_.rollout_rates))
# The base's smallest rate is absolute and would move what has a rate of zero.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=60),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=60, eta_min=0.)
]
