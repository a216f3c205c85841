# GLEE-Lite fine-tuned on the box tracks of BDD100K.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/fine_tunes/bdd_mot.py']

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
