# Interactive fine-tuning after glee_mini_stage2: the model meets its own mistakes and clicks on them,
# with negative tokens and memory. Start it with load_from=<that checkpoint>; backbone and text stay fixed.
_base_ = ['./glee_mini_stage2.py']

prompt_prob = 1.0
max_iters = 1400
load_ignore = [r'prompter\.(memory|dense)\.']

model = dict(
    backbone=dict(norm_eval=True),
    rollout=dict(type='InteractiveRollout', max_rounds=3, rule='seem'),
    data_preprocessor=dict(
        prompt_simulator=dict(
            kinds=dict(mask=0.05, box=0.15, point=0.6, polygon=0.05, scribble=0.1, circle=0.05))),
    panoptic_head=dict(
        prompter=dict(
            negative_tokens=True,
            memory=dict(type='MemoryPrompt', num_tokens=32, num_heads=4),
            dense=dict(type='DensePrompt', hidden_dims=32))))

train_dataloader = dict(sampler=dict(ratios=[1, 0, 0, 0, 0, 0]))
optim_wrapper = dict(
    optimizer=dict(lr=1e-4),
    # What stays, and what starts from nothing.
    paramwise_cfg=dict(custom_keys={
        **{key: dict(lr_mult=0., decay_mult=0.)
           for key in ('backbone', 'text_encoder', 'token_embedding', 'position_embedding')},
        **{key: dict(lr_mult=20.) for key in ('prompter.memory', 'prompter.dense', 'prompter.sign_embed')}}))
# The base's smallest rate is absolute and would move what has a rate of zero.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end='${warmup_iters}'),
    dict(type='CosineAnnealingLR', by_epoch=False, begin='${warmup_iters}', end='${max_iters}', eta_min=0.)
]
