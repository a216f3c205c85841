# Video instance segmentation of any object on UVO videos with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/uvo_video.py', '../_base_/default_runtime.py']
