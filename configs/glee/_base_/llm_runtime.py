# What trainings of a language model over GLEE share: the optimiser of LISA (B.2), hooks, and the adapter folder.
_base_ = ['./default_runtime.py']

custom_imports = dict(imports=['projects.glee', 'projects.glee.llm'], allow_failed_imports=False)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=3e-4, betas=(0.9, 0.95), weight_decay=0.0),
    clip_grad=dict(max_norm=1.0))
find_unused_parameters = True  # on several GPUs: a batch may lack masks, scores, or pictures with too few objects
auto_scale_lr = dict(enable=False, base_batch_size=8)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='PolyLR', by_epoch=False, begin=100, eta_min=0.0)
]
default_hooks = dict(  # none draws pictures: samples are dialogues
    _delete_=True,
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='DurableCheckpointHook', interval=1000, max_keep_ckpts=1),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    progress=dict(type='ProgressHook'))
custom_hooks = [
    dict(type='ExactResumeHook'),
    dict(type='NaNLossHook'),
    dict(type='StopSignalHook'),
    dict(type='AdapterFolderHook')
]
