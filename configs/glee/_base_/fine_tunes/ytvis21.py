# Fine-tuning on YouTube-VIS 2021.
_base_ = ['./clips.py']

train_dataloader = dict(dataset=dict(datasets=[_base_.ytvis21_train]))
