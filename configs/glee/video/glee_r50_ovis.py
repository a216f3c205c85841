# Video instance segmentation under occlusion on OVIS with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/ovis.py']
