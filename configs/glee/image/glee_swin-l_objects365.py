# GLEE-Plus on Objects365 val.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/objects365.py', '../_base_/default_runtime.py']
