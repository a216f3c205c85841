# GLEE-Lite on YouTube-VIS 2021: fine-tuning and test.
_base_ = [
    '../_base_/models/glee_r50_video.py', '../_base_/fine_tunes/ytvis21.py', '../_base_/benchmarks/ytvis21.py',
    '../_base_/default_runtime.py'
]
