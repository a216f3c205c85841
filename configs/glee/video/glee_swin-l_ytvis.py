# Video instance segmentation on YouTube-VIS 2019 with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/ytvis.py']
