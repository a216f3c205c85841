# GLEE-Plus on RefCOCO.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/refcoco.py', '../_base_/default_runtime.py']
