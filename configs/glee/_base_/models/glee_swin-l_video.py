# GLEE-Plus on videos.
_base_ = ['./glee_swin-l.py', './tracking.py']

model = dict(**_base_.video_model)
