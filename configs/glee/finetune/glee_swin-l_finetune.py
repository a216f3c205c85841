# GLEE-Plus fine-tuned on your own COCO file.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/fine_tunes/own_data.py']

model = _base_.own_model
