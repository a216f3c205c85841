# Video instance segmentation of any object on UVO videos with GLEE-Pro.
_base_ = ['../_base_/models/glee_eva02-l_video.py', '../_base_/benchmarks/uvo_video.py', '../_base_/default_runtime.py']

test_dataloader = dict(dataset=dict(pipeline=_base_.frames_square.names))
