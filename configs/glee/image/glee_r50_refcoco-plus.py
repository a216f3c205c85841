# GLEE-Lite on RefCOCO+.
_base_ = ['../_base_/models/glee_r50.py', '../_base_/benchmarks/refcoco_plus.py', '../_base_/default_runtime.py']
