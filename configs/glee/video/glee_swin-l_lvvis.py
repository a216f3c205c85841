# Open-vocabulary video instance segmentation on LV-VIS with GLEE-Plus.
_base_ = ['../_base_/models/glee_swin-l_video.py', '../_base_/benchmarks/lvvis.py', '../_base_/default_runtime.py']
