# GLEE-Plus fine-tuned on given objects: YouTube-VOS and four VIS sets, every clip with a prompt.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/fine_tunes/vos.py']

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
