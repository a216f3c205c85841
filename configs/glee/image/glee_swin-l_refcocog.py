# GLEE-Plus on RefCOCOg.
_base_ = ['../_base_/models/glee_swin-l.py', '../_base_/benchmarks/refcocog.py', '../_base_/default_runtime.py']
