# Fine-tuning on YouTube-VIS 2019.
_base_ = ['./clips.py']

clip_range = 5
clip_resize = dict(scales=[(short, 1333) for short in range(320, 641, 32)])
train_dataloader = dict(dataset=dict(datasets=[_base_.ytvis19_train]))
