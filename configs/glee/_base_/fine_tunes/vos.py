# Fine-tuning on given objects: YouTube-VOS and four VIS sets, every clip with a prompt.
_base_ = ['./clips.py']

max_iters = 40000
decay_at = 30000
clip_prompt_prob = 1.0
clip_resize = dict(scales=[(short, 1333) for short in range(320, 641, 32)])
train_dataloader = dict(
    sampler=dict(ratios=[1, 1, 1, 1, 1]),
    dataset=dict(datasets=[
        _base_.ytvos_train, _base_.ytvis19_train, _base_.ytvis21_train, _base_.ovis_train, _base_.uvo_train
    ]))
