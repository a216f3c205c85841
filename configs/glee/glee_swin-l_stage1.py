# Stage 1 of GLEE-Plus: detection pre-training with a frozen text encoder.
_base_ = ['./_base_/models/glee_swin-l.py', './_base_/stages/stage1.py']

model = dict(panoptic_head=dict(text_encoder=dict(mode='frozen')))
