# GLEE-Lite on panoptic segmentation of COCO val; the paper has no such table, and the released weights saw no stuff.
_base_ = [
    '../_base_/models/glee_r50.py', '../_base_/benchmarks/panoptic.py',
    '../_base_/default_runtime.py'
]
