# Fine-tuning on YouTube-VIS 2019.
_base_ = ['./clips.py']

train_dataloader = dict(dataset=dict(datasets=[_base_.ytvis19_train]))
