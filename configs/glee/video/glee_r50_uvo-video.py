# Video instance segmentation of any object on UVO videos with GLEE-Lite.
_base_ = ['../_base_/models/glee_r50_video.py', '../_base_/benchmarks/uvo_video.py', '../_base_/default_runtime.py']
