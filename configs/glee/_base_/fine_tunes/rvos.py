# Fine-tuning on the sentences of Ref-YouTube-VOS.
_base_ = ['./clips.py']

train_dataloader = dict(dataset=dict(datasets=[_base_.ref_ytvos_train]))
