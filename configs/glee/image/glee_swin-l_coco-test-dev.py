# GLEE-Plus on COCO test-dev.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/coco_test_dev.py', '../_base_/default_runtime.py']
