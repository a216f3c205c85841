# Fine-tuning on given objects: YouTube-VOS and four VIS sets, every clip with a prompt.
_base_ = ['./clips.py']

train_dataloader = dict(
    sampler=dict(ratios=[1, 1, 1, 1, 1]),
    dataset=dict(datasets=[
        dict(source, pipeline=[_base_.far, dict(source.pipeline[1], prompt_prob=1.0), *_base_.clips_320_640.masks])
        for source in (_base_.ytvos_train, _base_.ytvis19_train, _base_.ytvis21_train, _base_.ovis_train,
                       _base_.uvo_train)
    ]))
train_cfg = dict(max_iters=40000)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], milestones=[30000])]
