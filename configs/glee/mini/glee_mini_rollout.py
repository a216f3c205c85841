# Interactive fine-tuning after glee_mini_stage2: the model meets its own mistakes and clicks on them,
# with negative tokens and memory. Start it with load_from=<that checkpoint>; backbone and text stay fixed.
_base_ = ['./glee_mini_stage2.py', '../_base_/fine_tunes/rollout.py']

prompt_prob = 1.0
max_iters = 1400

model = dict(
    **_base_.rollout_model,
    panoptic_head=dict(
        prompter=dict(
            negative_tokens=True,
            memory=dict(type='MemoryPromptEncoder', num_tokens=32, num_heads=4),
            dense=dict(type='MaskFeatureRefiner', hidden_dims=32))))

train_dataloader = dict(sampler=dict(ratios=[1, 0, 0, 0, 0, 0]))
optim_wrapper = dict(optimizer=dict(lr=1e-4), paramwise_cfg=dict(custom_keys=_base_.rollout_rates))
# The base's smallest rate is absolute and would move what has a rate of zero.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end='${warmup_iters}'),
    dict(type='CosineAnnealingLR', by_epoch=False, begin='${warmup_iters}', end='${max_iters}', eta_min=0.)
]
