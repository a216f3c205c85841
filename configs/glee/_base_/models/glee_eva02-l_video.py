# GLEE-Pro on videos.
_base_ = ['./glee_eva02-l.py', './tracking.py']

model = dict(**_base_.video_model)
