# GLEE-Lite fine-tuned on YouTube-VIS 2021.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/fine_tunes/ytvis21.py']

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
