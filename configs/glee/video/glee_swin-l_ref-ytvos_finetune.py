# GLEE-Plus fine-tuned on the sentences of Ref-YouTube-VOS.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/fine_tunes/ref-ytvos.py']

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
