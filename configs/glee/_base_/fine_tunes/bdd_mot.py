# Fine-tuning on the box tracks of BDD100K.
_base_ = ['./bdd_mots.py']

train_dataloader = dict(dataset=dict(datasets=[_base_.bdd_box_track_train]))
