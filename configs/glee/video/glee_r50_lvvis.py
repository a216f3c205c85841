# Open-vocabulary video instance segmentation on LV-VIS with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/lvvis.py', '../_base_/default_runtime.py']
