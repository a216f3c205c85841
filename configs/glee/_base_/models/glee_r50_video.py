# GLEE-Lite on videos.
_base_ = ['./glee_r50.py', './tracking.py']

model = dict(**_base_.video_model)
