# GLEE-Plus on COCO val.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/coco_val.py', '../_base_/default_runtime.py']
