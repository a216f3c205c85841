# Video instance segmentation on YouTube-VIS 2019 with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/ytvis.py']
