# GLEE-Lite on COCO test-dev.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/coco_test_dev.py', '../_base_/default_runtime.py']
