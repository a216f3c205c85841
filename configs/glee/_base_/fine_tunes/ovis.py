# Fine-tuning on OVIS.
_base_ = ['./clips.py']

train_dataloader = dict(dataset=dict(datasets=[_base_.ovis_train]))
train_cfg = dict(max_iters=18000)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], milestones=[12000])]
