# Interactive fine-tuning of GLEE-Lite on simulated clicks, with negative tokens and memory. Start it with
# load_from=<a stage 2 or 3 checkpoint>; backbone and text stay fixed.
_base_ = ['./glee_r50_stage2.py']

prompt_prob = 1.0
load_ignore = [r'prompter\.(memory|dense)\.']

model = dict(
    backbone=dict(norm_eval=True),
    rollout=dict(type='InteractiveRollout', max_rounds=3, rule='seem'),
    data_preprocessor=dict(
        prompt_simulator=dict(
            type='PromptSimulator',
            kinds=dict(mask=0.05, box=0.15, point=0.6, polygon=0.05, scribble=0.1, circle=0.05))),
    panoptic_head=dict(
        prompter=dict(
            negative_tokens=True, memory=dict(type='MemoryPrompt'), dense=dict(type='DensePrompt'))))

ratios = dict(_delete_=True, coco=1.0)
train_dataloader = dict(
    sampler=dict(ratios=[1.0], repeat_thrs=[0.0]), dataset=dict(datasets=[_base_.coco_train]))
train_cfg = dict(max_iters=20000, val_interval=5000)
optim_wrapper = dict(
    optimizer=dict(lr=1e-5),
    # What stays, and what starts from nothing.
    paramwise_cfg=dict(custom_keys={
        **{key: dict(lr_mult=0., decay_mult=0.) for key in ('backbone', 'text_encoder', 'text_encoder.text_model')},
        **{key: dict(lr_mult=20.) for key in ('prompter.memory', 'prompter.dense', 'prompter.sign_embed')}}))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=20000, eta_min=0.)
]
