# GLEE-Lite on COCO val.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/coco_val.py', '../_base_/default_runtime.py']
