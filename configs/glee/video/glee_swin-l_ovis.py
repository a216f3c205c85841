# GLEE-Plus on OVIS: fine-tuning and test.
_base_ = [
    '../_base_/models/glee_swin-l_video.py', '../_base_/fine_tunes/ovis.py', '../_base_/benchmarks/ovis.py',
    '../_base_/default_runtime.py'
]
