# Video instance segmentation under occlusion on OVIS with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/ovis.py']
