# GLEE-Plus on ODinW-13.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/odinw13.py', '../_base_/default_runtime.py']
