# GLEE-Lite on OVIS: fine-tuning and test.
_base_ = [
    '../_base_/models/glee_r50_video.py', '../_base_/fine_tunes/ovis.py', '../_base_/benchmarks/ovis.py',
    '../_base_/default_runtime.py'
]
