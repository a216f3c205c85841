# GLEE-Plus fine-tuned on OVIS.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/fine_tunes/ovis.py']

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
