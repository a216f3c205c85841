# GLEE-Plus on ODinW-35.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/odinw35.py', '../_base_/default_runtime.py']
