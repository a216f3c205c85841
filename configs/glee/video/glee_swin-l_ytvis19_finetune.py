# GLEE-Plus fine-tuned on YouTube-VIS 2019.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/fine_tunes/ytvis19.py']

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
