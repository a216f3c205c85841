# GLEE-Plus on OpenImages val.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/openimages.py', '../_base_/default_runtime.py']
