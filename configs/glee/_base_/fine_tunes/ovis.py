# Fine-tuning on OVIS.
_base_ = ['./clips.py']

max_iters = 18000
decay_at = 12000
train_dataloader = dict(dataset=dict(datasets=[_base_.ovis_train]))
