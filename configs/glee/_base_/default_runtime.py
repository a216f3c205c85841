custom_imports = dict(imports=['projects.glee'], allow_failed_imports=False)
default_scope = 'mmdet'

# Every path of a data set or metric starts with it; tools/ move them all with --cfg-options data_root=/my/data.
data_root = 'data/'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='DurableCheckpointHook', interval=5000, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='PictureHook'),
    progress=dict(type='ProgressHook'))

custom_hooks = [
    dict(type='ExactResumeHook'),
    dict(type='NaNLossHook'),
    dict(type='StopSignalHook'),
    dict(type='SourceLossHook', interval=50)
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

visualizer = dict(
    type='TextLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
log_processor = dict(type='ShortLogProcessor', window_size=50, by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
